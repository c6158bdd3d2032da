import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../fixtures/', import.meta.url));

/** The absolute path of a file or folder in `libs/testing/fixtures`. Throws when it is not there. */
export function fixture(path: string): string {
  const absolute = join(root, path);
  if (!existsSync(absolute)) throw new Error(`there is no fixture '${path}' in libs/testing/fixtures`);
  return absolute;
}
