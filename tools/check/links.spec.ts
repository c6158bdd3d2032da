import { expect, it } from 'vitest';
import { deadLinks } from './links.ts';

const there = new Set(['docs/adr/0001-a.md', 'docs/ARCHITECTURE.md', 'LICENSE']);
const dead = (path: string, text: string): string[] => deadLinks([{ path, text }], (target) => there.has(target));

it('follows links of Markdown from the folder of their file', () => {
  expect(
    dead('docs/ARCHITECTURE.md', '[1](adr/0001-a.md) [2](../LICENSE) [3](https://example.org) [4](#part)'),
  ).toEqual([]);
  expect(dead('docs/ARCHITECTURE.md', '[5](adr/0002-b.md)')).toEqual([
    'docs/ARCHITECTURE.md names docs/adr/0002-b.md, which does not exist',
  ]);
});

it('finds pages that comments name', () => {
  expect(dead('libs/a/src/b.ts', '// see docs/adr/0001-a.md')).toEqual([]);
  expect(dead('libs/a/src/b.ts', '// see docs/adr/0003-gone.md')).toHaveLength(1);
});
