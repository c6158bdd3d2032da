import type { Abandoned } from '@mooring/contracts/scoring';
import { reply, type ScoreCall, type ScoreReply, type ScoringPort } from '@mooring/scoring-stream';
import { limitCalls, type Admission } from '../admission.ts';
import type { Limits } from '../limits.ts';

export interface OpenCall {
  call: ScoreCall;
  signal: AbortSignal;
  answer: (fields?: Partial<ScoreReply>) => Promise<void>;
}

export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Admission before a model whose answers the test gives, on a clock of the test's. */
export function heldAdmission(limits: Partial<Limits> = {}): {
  admission: Admission;
  open: OpenCall[];
  abandoned: Abandoned[];
  clock: { now: number };
} {
  const open: OpenCall[] = [];
  const abandoned: Abandoned[] = [];
  const clock = { now: 0 };
  const port: ScoringPort = {
    score: (call, signal) =>
      new Promise((resolve) =>
        open.push({
          call,
          signal,
          answer: (fields) => {
            resolve(reply({ status: 200, ...fields }));
            return settled();
          },
        }),
      ),
  };
  const all = { running: 1, inFlight: 100, requestTimeoutMs: 60_000, ...limits };
  const admission = limitCalls(
    port,
    all,
    () => clock.now,
    (sum) => abandoned.push(sum),
  );
  return { admission, open, abandoned, clock };
}
