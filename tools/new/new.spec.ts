import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { layerViolations } from '../check/layers.ts';
import { generate } from './generate.ts';

const root = process.cwd();
const folder = mkdtempSync(join(tmpdir(), 'new-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('tools/generate', () => {
  it('makes a service and a library that typecheck and carry a layer tag', () => {
    const written = [...generate(folder, 'service', 'cost-ledger'), ...generate(folder, 'library', 'ring-buffer')];
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    cpSync(join(root, 'tsconfig.base.json'), join(folder, 'tsconfig.base.json'));
    // The new packages are not linked before npm install has run, so the app's import of its service is left out here.
    const include = ['libs/services/cost-ledger/src', 'libs/ring-buffer/src'];
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: './tsconfig.base.json', include }));
    const types = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' });
    expect(types.stdout).toBe('');
    const nodes = Object.fromEntries(
      written
        .filter((path) => path.endsWith('package.json'))
        .map((path) => {
          const { nx } = JSON.parse(readFileSync(join(folder, path), 'utf8')) as {
            nx: { name: string; tags: string[] };
          };
          return [nx.name, { data: { root: path, tags: nx.tags } }];
        }),
    );
    expect(Object.keys(nodes).toSorted()).toEqual(['cost-ledger', 'cost-ledger-service', 'ring-buffer']);
    expect(layerViolations({ nodes, dependencies: {} })).toEqual([]);
  });

  it('never overwrites, and refuses a name that is no name', () => {
    expect(() => generate(folder, 'library', 'ring-buffer')).toThrow('exists already');
    expect(() => generate(folder, 'library', '../escape')).toThrow('kebab-case');
    expect(() => generate(folder, 'command', 'endpoint')).toThrow('noun/verb');
  });
});
