import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createFolderStore, sha256Tree } from '@mooring/storage';
import type { Artifacts } from '../ports.ts';

/** Digests that are kept; a machine runs far fewer models. */
const digestsMax = 1_000;

/**
 * The files of assets in the artifact folder. A digest is worked out anew only when a file is another one or was written.
 */
export function createFolderArtifacts(folder: string): Artifacts {
  const store = createFolderStore(folder);
  const digests = new Map<string, Promise<string>>();
  return {
    localPath: (place) => {
      const slash = place.indexOf('/');
      const [container, path] = slash < 0 ? [place, ''] : [place.slice(0, slash), place.slice(slash + 1)];
      return store.localPath(container, path);
    },
    digest: async (localPath) => {
      const key = await fingerprint(localPath);
      const known = digests.get(key);
      if (known !== undefined) return known;
      const oldest = digests.keys().next().value;
      if (digests.size >= digestsMax && oldest !== undefined) digests.delete(oldest);
      const digest = sha256Tree(localPath);
      digests.set(key, digest);
      digest.catch(() => digests.delete(key));
      return digest;
    },
    registeredDigest: (place, digest) => store.recordDigest(place, digest),
  };
}

/** Differs as soon as any file differs, without reading one. */
async function fingerprint(path: string): Promise<string> {
  const all = createHash('sha256');
  const note = async (file: string): Promise<boolean> => {
    const found = await stat(file);
    all.update(`${file}\0${found.ino}:${found.size}:${found.mtimeMs}:${found.ctimeMs}\0`);
    return found.isDirectory();
  };
  if (await note(path)) {
    const names = await readdir(path, { recursive: true });
    for (const name of names.toSorted((a, b) => (a < b ? -1 : 1))) await note(join(path, name));
  }
  return all.digest('hex');
}
