import { PlatformError } from '@mooring/errors';
import { Progress, retryAfterOf } from '@mooring/overload';
import type { ScoreCall } from '@mooring/scoring-stream';
import type { Logger } from 'pino';
import { CallQueue } from './call-queue.ts';
import { Deadlines } from './deadlines.ts';
import { OpenCall } from './open-call.ts';
import * as refusals from './refusals.ts';

export interface CallDeskOptions {
  /** Calls that may wait. */
  queueMax: number;
  workers: number;
  requestTimeoutMs: number;
  /** How long an interrupted worker may go on with a call whose time is up. */
  graceMs: number;
  log: Logger;
}

/** The calls of a runtime, from arrival until no worker has them any more: who waits, how long it may, who has left. */
export class CallDesk {
  readonly #options: CallDeskOptions;
  readonly #queue: CallQueue;
  readonly #progress: Progress;
  readonly #open = new Set<OpenCall>();
  readonly #deadlines = new Deadlines(this.#open, (open) => this.#tooLate(open));
  #onIdle: (() => void) | undefined;

  constructor(options: CallDeskOptions) {
    this.#options = options;
    this.#queue = new CallQueue(options.queueMax);
    this.#progress = new Progress(options.workers);
  }

  /** Puts a call into the queue, or says why not. Whatever happens later, it is answered by its deadline. */
  take(call: ScoreCall, signal: AbortSignal): OpenCall | PlatformError {
    const open = new OpenCall(call, this.#options.requestTimeoutMs, performance.now());
    const ahead = this.#queue.ahead(open) + this.#open.size - this.#queue.length;
    if (this.#progress.hopeless(open.limitMs, ahead)) {
      const needsMs = this.#progress.answeredInMs(ahead);
      return refusals.unreachable(needsMs, open.limitMs, retryAfterOf(needsMs - open.limitMs));
    }
    if (!this.#queue.push(open)) return refusals.queueFull(this.#queue.length, this.retryAfterMs());
    this.#watch(open, signal);
    return open;
  }

  /** Calls that no worker has. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Takes the next one for a worker; never one whose time is up, even if no timer has noticed yet. */
  next(nowMs: number): OpenCall | undefined {
    for (let open = this.#queue.shift(); open !== undefined; open = this.#queue.shift()) {
      if (nowMs < open.dueMs) return open;
      open.fail(this.#waitedTooLong(open));
      this.close(open);
    }
    return undefined;
  }

  /** One that was taken and has not begun: it is the next, unless nobody waits for it. */
  putBack(open: OpenCall): void {
    if (open.abandoned === undefined) {
      this.#queue.putBack(open);
      return;
    }
    open.fail(open.abandoned);
    this.close(open);
  }

  /** Notes what one call took in a worker. */
  noteRun(ms: number): void {
    this.#progress.noteServiceTime(ms);
  }

  /** No worker has it any more. */
  close(open: OpenCall): void {
    open.release();
    this.#open.delete(open);
    this.#progress.left(performance.now(), open.startedMs !== undefined);
    if (this.#open.size === 0) this.#onIdle?.();
  }

  failQueued(why: PlatformError): void {
    for (const open of this.#queue.takeAll()) {
      open.fail(why);
      this.close(open);
    }
  }

  /** When one that comes last would be answered. */
  retryAfterMs(): number {
    return retryAfterOf(this.#progress.answeredInMs());
  }

  /** Resolves when no call is open, or when `signal` aborts. */
  async idle(signal: AbortSignal): Promise<void> {
    if (this.#open.size === 0 || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
  }

  #watch(open: OpenCall, signal: AbortSignal): void {
    this.#open.add(open);
    this.#progress.entered(open.arrivedMs);
    this.#deadlines.watch(open);
    // Whoever gave the signal may know better why.
    const gone = (): void =>
      this.#abandon(open, signal.reason instanceof PlatformError ? signal.reason : refusals.callerGone());
    open.release = () => {
      clearTimeout(open.killTimer);
      signal.removeEventListener('abort', gone);
    };
    if (signal.aborted) gone();
    else signal.addEventListener('abort', gone, { once: true });
  }

  #tooLate(open: OpenCall): void {
    const what = `was still being answered after ${open.limitMs} ms`;
    const runs = open.startedMs !== undefined;
    this.#abandon(open, runs ? refusals.tooLate(what, this.retryAfterMs()) : this.#waitedTooLong(open));
  }

  #waitedTooLong(open: OpenCall): PlatformError {
    return refusals.tooLate(`waited for a worker longer than ${open.limitMs} ms`, this.retryAfterMs());
  }

  /** Nobody waits for it any more: it leaves the queue, or is interrupted and its worker is waited for a little. */
  #abandon(open: OpenCall, why: PlatformError): void {
    if (this.#queue.remove(open)) {
      open.fail(why);
      this.close(open);
      return;
    }
    if (open.slot === undefined) return;
    const first = open.abandoned === undefined;
    open.abandoned ??= why;
    if (first) open.slot.cancel(open);
    if (open.slot === undefined) return; // it had not begun
    const { graceMs } = this.#options;
    // Within its time a call may end by itself, and ending its worker costs as much as loading another.
    this.#insist(open, why.code === 'cancelled' ? Math.max(graceMs, open.slot.loadMs) : graceMs);
  }

  /** Ends the worker that goes on with an abandoned call. */
  #insist(open: OpenCall, afterMs: number): void {
    clearTimeout(open.killTimer);
    open.killTimer = setTimeout(() => {
      open.slot?.catchUp();
      const { slot, abandoned } = open;
      if (slot === undefined || abandoned === undefined) return;
      const facts = { worker: slot.name, reason: abandoned.reason };
      this.#options.log.warn(facts, 'run() goes on although it was interrupted: its worker is replaced');
      slot.kill('was replaced');
    }, afterMs);
  }
}
