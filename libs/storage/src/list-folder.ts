import { join } from 'node:path';
import { isAbsent, plainNames } from './files.ts';

/**
 * Paths of files below `root` that begin with `prefix` and come after `after`, in the order of their text, at most `max`.
 * Folders that cannot hold a match are not read, so a page costs no more than the folders it touches.
 */
export async function listPaths(
  root: string,
  { prefix = '', after = '', max }: { prefix?: string; after?: string; max: number },
): Promise<string[]> {
  const found: string[] = [];
  const walk = async (folder: string): Promise<void> => {
    const names = await plainNames(join(root, folder)).catch((thrown: unknown) => {
      if (isAbsent(thrown)) return [];
      throw thrown;
    });
    // A folder sorts as `name/`, so that `a-b` comes before `a/x` exactly as whole paths do.
    const paths = names.map(({ name, isFolder }) => `${folder}${name}${isFolder ? '/' : ''}`);
    for (const path of paths.toSorted((a, b) => (a < b ? -1 : 1))) {
      if (found.length >= max) return;
      if (path.endsWith('/')) {
        const mayMatch = path.startsWith(prefix) || prefix.startsWith(path);
        if (mayMatch && (path > after || after.startsWith(path))) await walk(path);
      } else if (path.startsWith(prefix) && path > after) found.push(path);
    }
  };
  await walk('');
  return found;
}
