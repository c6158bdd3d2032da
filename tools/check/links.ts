import { posix } from 'node:path';
import type { SourceFile } from './layers.ts';

/** Links of Markdown files, and pages of `docs/adr` wherever they are named, that lead to no file. */
export function deadLinks(files: readonly SourceFile[], exists: (path: string) => boolean): string[] {
  return files.flatMap(({ path, text }) => {
    const named = [...text.matchAll(/\bdocs\/adr\/[\w.-]+\.md\b/g)].map(([target]) => target);
    const linked = path.endsWith('.md') ? [...text.matchAll(/\]\(([^)#\s]+)/g)].map(([, target = '']) => target) : [];
    const targets = [
      ...named,
      ...linked
        .filter((target) => !/^[a-z]+:/.test(target))
        .map((target) => posix.normalize(posix.join(posix.dirname(path), target))),
    ];
    return [...new Set(targets)]
      .filter((target) => !exists(target))
      .map((target) => `${path} names ${target}, which does not exist`);
  });
}
