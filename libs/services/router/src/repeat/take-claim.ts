import { setTimeout as delay } from 'node:timers/promises';
import type { IdempotencyRecord } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { Entry } from '@mooring/messaging';
import type { Claim, ClaimStore } from './claims.ts';
import { holdLease } from './hold-lease.ts';

export interface ClaimDeps {
  store: ClaimStore;
  /** A claim that its owner has not written anew for this long is that of a dead one. */
  leaseMs: number;
  /** Told when the claim of a dead owner is taken over. */
  onTakenOver?: () => void;
}

const lookMinMs = 10;
const lookMaxMs = 250;

/**
 * Claims `key` for `owner`, or waits until whoever has it is done; the claim of an owner that is dead is taken over. Rejects
 * when the store cannot be reached, and when `signal` aborts.
 */
export async function takeClaim(
  deps: ClaimDeps,
  key: string,
  wanted: Omit<IdempotencyRecord, 'answer'>,
  signal: AbortSignal,
): Promise<Claim> {
  const { store, leaseMs } = deps;
  const mine = (revision: number): Claim => ({ kind: 'mine', lease: holdLease(deps, key, wanted, revision) });
  let seen: Sighting | undefined;
  for (let waitMs = lookMinMs; ; waitMs = Math.min(waitMs * 2, lookMaxMs)) {
    if (seen === undefined) {
      const made = await store.use((bucket) => orUndefined(bucket.create(key, wanted), 'already_exists'));
      if (made !== undefined) return mine(made);
    }
    const entry = await store.use((bucket) => bucket.get(key));
    if (entry === undefined) {
      // Its owner gave up, and it is anybody's again.
      seen = undefined;
    } else {
      const { value, revision } = entry;
      // A create of ours of which we heard nothing.
      if (value.owner === wanted.owner) return mine(revision);
      if (value.fingerprint !== wanted.fingerprint) return { kind: 'reused' };
      if (value.answer !== undefined) return { kind: 'answered', record: value, ageMs: ageOf(entry) };
      if (seen?.revision !== revision) seen = { revision, atMs: performance.now() };
      if (Math.max(ageOf(entry), performance.now() - seen.atMs) > leaseMs) {
        const taken = await store.use((bucket) => orUndefined(bucket.update(key, wanted, revision), 'aborted'));
        if (taken !== undefined) {
          deps.onTakenOver?.();
          return mine(taken);
        }
      }
    }
    await delay(waitMs, undefined, { signal });
  }
}

/** When a state of a claim was first seen, on the clock of this process: that of the store may differ. */
interface Sighting {
  revision: number;
  atMs: number;
}

function ageOf({ createdAt }: Entry<unknown>): number {
  return Math.max(0, Date.now() - createdAt.getTime());
}

async function orUndefined<T>(work: Promise<T>, code: 'already_exists' | 'aborted'): Promise<T | undefined> {
  try {
    return await work;
  } catch (thrown) {
    if (PlatformError.from(thrown).code === code) return undefined;
    throw thrown;
  }
}
