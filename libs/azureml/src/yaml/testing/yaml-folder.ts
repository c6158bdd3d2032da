import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface YamlFolder {
  path: string;
  /** Writes a file there; returns its absolute path. */
  write(name: string, content: string | Uint8Array): string;
  remove(): void;
}

/** A copy of `source` (files that a resource file may point to) in a folder of its own. */
export function yamlFolder(source: string): YamlFolder {
  const path = mkdtempSync(join(tmpdir(), 'mooring-yaml-'));
  cpSync(source, path, { recursive: true });
  return {
    path,
    write: (name, content) => {
      const file = join(path, name);
      writeFileSync(file, content);
      return file;
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}
