import type { ScoreReply } from '@mooring/scoring-stream';

export interface Outcome {
  answer: ScoreReply;
  /** From sending to the answer. */
  ms: number;
  endedMs: number;
}

type Send = () => Promise<ScoreReply>;

async function timed(send: Send): Promise<Outcome> {
  const from = performance.now();
  const answer = await send();
  const endedMs = performance.now();
  return { answer, ms: endedMs - from, endedMs };
}

/** `width` callers, each with one call open, for `forMs`. */
export async function closedLoop(send: Send, width: number, forMs: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const untilMs = performance.now() + forMs;
  const caller = async (): Promise<void> => {
    while (performance.now() < untilMs) outcomes.push(await timed(send));
  };
  await Promise.all(Array.from({ length: width }, caller));
  return outcomes;
}

/** `perSecond` calls a second for `forMs`, whatever becomes of them. */
export async function openLoop(send: Send, perSecond: number, forMs: number): Promise<Outcome[]> {
  const open: Promise<Outcome>[] = [];
  const from = performance.now();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const elapsedMs = performance.now() - from;
      const due = (Math.min(elapsedMs, forMs) * perSecond) / 1_000;
      while (open.length < due) open.push(timed(send));
      if (elapsedMs < forMs) return;
      clearInterval(timer);
      resolve();
    }, 2);
  });
  return Promise.all(open);
}

/** Successful answers a second. */
export function goodput(outcomes: readonly Outcome[], forMs: number): number {
  return (outcomes.filter(({ answer }) => answer.errorCode === '').length * 1_000) / forMs;
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(q * (sorted.length - 1))] ?? Number.NaN;
}

/** How often each reason was given, `ok` for answers. */
export function reasons(outcomes: readonly Outcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { answer } of outcomes) {
    const reason = answer.errorReason || 'ok';
    counts[reason] = (counts[reason] ?? 0) + 1;
  }
  return counts;
}
