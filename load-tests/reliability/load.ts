import { setTimeout as delay } from 'node:timers/promises';
import { freshConnections, grpcCaller, keptConnections, type Target } from './callers.ts';
import type { Case } from './cases.ts';
import { Tally } from './tally.ts';

const tickMs = 2;
const waitMs = 10;
/** Requests without an answer. Further ones wait here until they are fewer, and the tally says how long. */
const openMax = 1_000;

export interface Load {
  /** Starts a new count. */
  begin(): void;
  /** The present count, once all its requests are answered; a new one is begun. */
  taken(): Promise<Tally>;
  stop(): Promise<void>;
}

/**
 * An open load: requests leave when they are due, answered or not (as far as this process gets the time for it). They take turns between REST on kept and on new
 * connections, with and without an idempotency key, and gRPC.
 */
export function startLoad(ratePerSecond: number, cases: readonly Case[], targetOf: (index: number) => Target): Load {
  const callers = [
    keptConnections(false),
    keptConnections(true),
    grpcCaller(),
    keptConnections(false),
    freshConnections(),
  ];
  const startedAt = performance.now();
  let tally = new Tally(startedAt);
  let sent = 0;
  let open = 0;
  let onIdle: (() => void) | undefined;
  const send = async (index: number): Promise<void> => {
    const caller = callers[index % callers.length];
    const one = cases[index % cases.length];
    if (caller === undefined || one === undefined) return;
    open += 1;
    const counted = tally;
    counted.sent += 1;
    const outcome = await caller.send(targetOf(index), one);
    counted.add(outcome, performance.now(), caller.name);
    open -= 1;
    if (open === 0) onIdle?.();
  };
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) / 1_000) * ratePerSecond);
    if (sent < due) tally.latestMs = Math.max(tally.latestMs, ((due - sent) / ratePerSecond) * 1_000);
    for (; sent < due && open < openMax; sent += 1) void send(sent);
  }, tickMs);
  return {
    begin: () => void (tally = new Tally(performance.now())),
    taken: async () => {
      const taken = tally;
      taken.end(performance.now());
      tally = new Tally(performance.now());
      while (taken.answered < taken.sent) await delay(waitMs);
      return taken;
    },
    stop: async () => {
      clearInterval(timer);
      if (open > 0) await new Promise<void>((resolve) => (onIdle = resolve));
      for (const caller of callers) caller.close();
    },
  };
}
