import { stat } from 'node:fs/promises';
import { createFolderStore, sha256Tree } from '@mooring/storage';
import type { Artifacts } from '../ports.ts';

/** Digests that are kept; a machine runs far fewer models. */
const digestsMax = 1_000;

/**
 * The files of assets in the artifact folder. They never change once they are registered, so a digest is worked out once.
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
      const { mtimeMs, ino } = await stat(localPath);
      const key = `${ino}:${mtimeMs}:${localPath}`;
      const known = digests.get(key);
      if (known !== undefined) return known;
      const oldest = digests.keys().next().value;
      if (digests.size >= digestsMax && oldest !== undefined) digests.delete(oldest);
      const digest = sha256Tree(localPath);
      digests.set(key, digest);
      digest.catch(() => digests.delete(key));
      return digest;
    },
  };
}
