import type { IdempotencyRecord } from '@mooring/domain';
import type { Bucket } from '@mooring/messaging';

/** The bucket that the routers of a platform share. `use` rejects with `unavailable` while it cannot be reached. */
export interface ClaimStore {
  use<R>(work: (bucket: Bucket<IdempotencyRecord>) => Promise<R>): Promise<R>;
}

/** What came of claiming a key. */
export type Claim =
  | { kind: 'mine'; lease: Lease }
  | { kind: 'answered'; record: IdempotencyRecord; ageMs: number }
  | { kind: 'reused' };

export interface Lease {
  /** Puts the answer in place of the claim; undefined: there will be none, and others may run the request. */
  settle(answer: IdempotencyRecord['answer']): Promise<void>;
}

/** The lease of a process that has no other to agree with. */
export const noLease: Lease = { settle: async () => {} };
