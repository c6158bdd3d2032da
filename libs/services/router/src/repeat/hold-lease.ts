import type { IdempotencyRecord } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { Lease } from './claims.ts';
import type { ClaimDeps } from './take-claim.ts';

/** Writes the claim of `revision` anew until it is settled, so that everybody sees its owner live. */
export function holdLease(
  { store, leaseMs }: ClaimDeps,
  key: string,
  claim: Omit<IdempotencyRecord, 'answer'>,
  revision: number,
): Lease {
  let current = revision;
  let lost = false;
  let writing = Promise.resolve();
  /** One write at a time: each goes on top of the one before. */
  const write = (work: () => Promise<number | undefined>): Promise<void> => (writing = after(writing, work));
  const after = async (before: Promise<void>, work: () => Promise<number | undefined>): Promise<void> => {
    await before;
    if (lost) return;
    try {
      current = (await work()) ?? current;
    } catch (thrown) {
      // Somebody took it over, or the store lost its memory. While it cannot be reached, the next write may reach it.
      if (PlatformError.from(thrown).code !== 'unavailable') lost = true;
    }
  };
  const renew = (): Promise<void> => write(() => store.use((bucket) => bucket.update(key, claim, current)));
  const timer = setInterval(() => void renew(), leaseMs / 3);
  timer.unref();
  return {
    settle: async (answer) => {
      clearInterval(timer);
      await write(async () => {
        if (answer !== undefined) return store.use((bucket) => bucket.update(key, { ...claim, answer }, current));
        await store.use((bucket) => bucket.delete(key, current));
        return undefined;
      });
      // Nobody else has the key: a store that began anew gets the answer all the same.
      if (lost && answer !== undefined) {
        await store.use((bucket) => bucket.create(key, { ...claim, answer })).catch(() => undefined);
      }
    },
  };
}
