import { PlatformError } from '@mooring/errors';
import { failedReply, type ScoreCall, type ScoreReply } from '@mooring/scoring-stream';

/** A call between its arrival and the moment when no worker has it any more. Settles once. */
export class OpenCall {
  readonly call: ScoreCall;
  readonly arrivedMs: number;
  /** Milliseconds from arrival, queueing included. */
  readonly limitMs: number;
  readonly reply: Promise<ScoreReply>;
  startedMs: number | undefined;
  /** Frees the timer and the listener; set by who made them. */
  release: () => void = () => undefined;
  readonly #settle: (reply: ScoreReply) => void;

  constructor(call: ScoreCall, requestTimeoutMs: number, nowMs: number) {
    const { promise, resolve } = Promise.withResolvers<ScoreReply>();
    this.call = call;
    this.arrivedMs = nowMs;
    this.limitMs = call.deadlineMs > 0 ? Math.min(call.deadlineMs, requestTimeoutMs) : requestTimeoutMs;
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
}
