import type { PlatformError } from '@mooring/errors';
import type { Queued } from '@mooring/overload';
import type { WorkerSlot } from './worker-slot.ts';
import { failedReply, rankOf, type ScoreCall, type ScoreReply } from '@mooring/scoring-stream';

/** A call between its arrival and the moment when no worker has it any more. Settles once. */
export class OpenCall implements Queued {
  readonly call: ScoreCall;
  readonly rank: number;
  readonly bytes: number;
  readonly arrivedMs: number;
  /** Milliseconds from arrival, queueing included. */
  readonly limitMs: number;
  /** When its time is up; Infinity once that was noticed. */
  dueMs: number;
  readonly reply: Promise<ScoreReply>;
  /** The worker that has it, and what it is called there. */
  slot: WorkerSlot | undefined;
  frameId = 0;
  /** When it began; undefined while it waits, here or in a worker behind others. */
  startedMs: number | undefined;
  /** Its worker had it while that ran another. */
  waitedInWorker = false;
  /** Why nobody waits for it any more, while its worker still has it. */
  abandoned: PlatformError | undefined;
  /** Ends a worker that goes on with it although it was interrupted. */
  killTimer: NodeJS.Timeout | undefined;
  /** Frees the timer and the listener; set by who made them. */
  release: () => void = () => undefined;
  readonly #settle: (reply: ScoreReply) => void;

  constructor(call: ScoreCall, requestTimeoutMs: number, nowMs: number) {
    const { promise, resolve } = Promise.withResolvers<ScoreReply>();
    this.call = call;
    this.rank = rankOf(call.priority);
    this.bytes = call.body.length;
    this.arrivedMs = nowMs;
    this.limitMs = call.deadlineMs > 0 ? Math.min(call.deadlineMs, requestTimeoutMs) : requestTimeoutMs;
    this.dueMs = nowMs + this.limitMs;
    this.reply = promise;
    this.#settle = resolve;
  }

  /** The first answer counts; later ones are dropped. */
  answer(reply: ScoreReply): void {
    this.#settle(reply);
  }

  fail(error: PlatformError): void {
    this.#settle(failedReply(error, this.startedMs !== undefined));
  }

  /** The answer to one that nobody waits for: `nowMs` is when its worker let go of it. */
  failAbandoned(error: PlatformError, nowMs: number): void {
    const startedMs = this.startedMs ?? nowMs;
    const [totalUs, computeUs] = [this.arrivedMs, startedMs].map((from) => Math.round((nowMs - from) * 1000)) as [
      number,
      number,
    ];
    const timing = { batchWaitUs: 0, preprocessUs: 0, postprocessUs: 0 };
    this.#settle({
      ...failedReply(error, true),
      timing: { ...timing, totalUs, queueUs: totalUs - computeUs, computeUs },
    });
  }
}
