import type { Caller, Target } from './callers.ts';
import type { Case } from './cases.ts';

const tickMs = 1;

export interface SmallRequests {
  latencies: number[];
  failed: number;
}

/** Requests at a steady rate until `over` resolves, latencies counted from when each was due. */
export async function smallRequests(
  caller: Caller,
  target: Target,
  cases: readonly Case[],
  perSecond: number,
  over: Promise<unknown>,
): Promise<SmallRequests> {
  const from = performance.now();
  const latencies: number[] = [];
  const open = new Set<Promise<void>>();
  let [sent, failed] = [0, 0];
  const send = async (dueMs: number, one: Case): Promise<void> => {
    const { kind } = await caller.send(target, one);
    if (kind === 'right') latencies.push(performance.now() - dueMs);
    else failed += 1;
  };
  const timer = setInterval(() => {
    for (; ((performance.now() - from) * perSecond) / 1_000 >= sent; sent += 1) {
      const answered = send(from + (sent * 1_000) / perSecond, cases[sent % cases.length] as Case);
      open.add(answered);
      void answered.finally(() => open.delete(answered));
    }
  }, tickMs);
  try {
    await over;
  } finally {
    clearInterval(timer);
    await Promise.all(open);
  }
  return { latencies, failed };
}
