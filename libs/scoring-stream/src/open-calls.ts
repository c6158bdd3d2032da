import type { Abandoned } from '@mooring/contracts/scoring';
import { PlatformError } from '@mooring/errors';
import { abandonedBy } from './abandoned.ts';
import { failedReply, type ScoreCall, type ScoreReply } from './port.ts';
import { messageTargetBytes } from './outbox.ts';
import type { OutgoingCall } from './request-message.ts';

/** How long after its deadline a call may still be answered by the peer, which sees the deadline first. */
const deadlineGraceMs = 250;
/** For a call without a deadline: longer than the longest request_timeout_ms (180 s). */
const callTimeoutMaxMs = 190_000;
const idMax = 2 ** 32 - 1;

interface OpenCall {
  id: number;
  call: ScoreCall;
  /** On the clock of performance.now(); Infinity when the caller set none. */
  deadlineAt: number;
  /** False: its frame was certainly not sent. */
  written: boolean;
  settle: (reply: ScoreReply) => void;
}

/**
 * The calls of one client that have no answer yet. Each is settled exactly once: by a reply, its deadline, its caller
 * going away, or the loss of the stream; then its id is free.
 */
export class OpenCalls {
  readonly #open = new Map<number, OpenCall>();
  readonly #unwritten = new Set<OpenCall>();
  readonly #cancels: number[] = [];
  readonly #onChange: () => void;
  readonly #onAbandoned: (sum: Abandoned) => void;
  #lastId = 0;

  /**
   * `onChange` is called when there is something to write and when a call was settled; `onAbandoned` when a call was given
   * up of which the peer knows nothing, or that it has answered all the same.
   */
  constructor(onChange: () => void, onAbandoned: (sum: Abandoned) => void) {
    this.#onChange = onChange;
    this.#onAbandoned = onAbandoned;
  }

  get size(): number {
    return this.#open.size;
  }

  add(call: ScoreCall, signal: AbortSignal): Promise<ScoreReply> {
    return new Promise((resolve) => {
      const id = this.#freeId();
      const timeoutMs = call.deadlineMs > 0 ? call.deadlineMs + deadlineGraceMs : callTimeoutMaxMs;
      const timer = setTimeout(() => this.#giveUp(entry, tooLate()), timeoutMs);
      const onAbort = (): void =>
        this.#giveUp(entry, new PlatformError('cancelled', 'CALLER_GONE', 'the caller is gone'));
      const entry: OpenCall = {
        id,
        call,
        deadlineAt: call.deadlineMs > 0 ? performance.now() + call.deadlineMs : Infinity,
        written: false,
        settle: (reply) => {
          clearTimeout(timer);
          signal.removeEventListener('abort', onAbort);
          this.#open.delete(id);
          this.#unwritten.delete(entry);
          resolve(reply);
          this.#onChange();
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#open.set(id, entry);
      this.#unwritten.add(entry);
      this.#onChange();
    });
  }

  /** The answer of the peer. One for a call that was given up is dropped. */
  settle(id: number, reply: ScoreReply): void {
    const entry = this.#open.get(id);
    if (entry !== undefined) return entry.settle(reply);
    const wasted = abandonedBy(reply);
    if (wasted !== undefined) this.#onAbandoned(wasted);
  }

  /** What to send next, up to a message's worth. Calls that are taken count as written. */
  take(): { calls: OutgoingCall[]; cancels: number[] } {
    const calls: OutgoingCall[] = [];
    const now = performance.now();
    let bytes = 0;
    for (const entry of this.#unwritten) {
      const { call } = entry;
      if (calls.length > 0 && bytes + call.body.length > messageTargetBytes) break;
      const leftMs = entry.deadlineAt - now;
      if (leftMs <= 0) {
        entry.settle(failedReply(tooLate(), false));
        continue;
      }
      this.#unwritten.delete(entry);
      entry.written = true;
      bytes += call.body.length;
      calls.push({ id: entry.id, call, deadlineMs: leftMs === Infinity ? 0 : Math.max(1, Math.round(leftMs)) });
    }
    return { calls, cancels: this.#cancels.splice(0) };
  }

  /** Fails every call that was never sent; another instance may take them. */
  failUnwritten(error: PlatformError): void {
    for (const entry of this.#unwritten) entry.settle(failedReply(error, false));
  }

  /** The stream is gone: nobody will answer. */
  failAll(error: PlatformError): void {
    this.#cancels.length = 0;
    for (const entry of this.#open.values()) entry.settle(failedReply(error, entry.written));
  }

  #giveUp(entry: OpenCall, error: PlatformError): void {
    if (entry.written) this.#cancels.push(entry.id);
    else this.#onAbandoned({ queued: 1, running: 0, wastedUs: 0 });
    entry.settle(failedReply(error, entry.written));
  }

  #freeId(): number {
    do this.#lastId = this.#lastId >= idMax ? 1 : this.#lastId + 1;
    while (this.#open.has(this.#lastId));
    return this.#lastId;
  }
}

function tooLate(): PlatformError {
  return new PlatformError('deadline_exceeded', 'SCORING_TIMEOUT', 'no answer came within the deadline of the request');
}
