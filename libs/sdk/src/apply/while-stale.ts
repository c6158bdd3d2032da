import { PlatformError } from '@mooring/errors';

const attemptsMax = 5;

/**
 * Reads and writes anew while somebody else changes the resource between the read and the write. `work` guards its write
 * with the etag of its own read.
 */
export async function whileStale<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (thrown) {
      const stale = thrown instanceof PlatformError && thrown.code === 'aborted' && /ETAG/i.test(thrown.reason);
      if (!stale || attempt >= attemptsMax) throw thrown;
    }
  }
}
