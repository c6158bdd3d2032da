import type { Abandoned, Chunk } from '@mooring/contracts/scoring';
import { PlatformError } from '@mooring/errors';
import { abandonedBy } from './abandoned.ts';
import { IncomingBodies, largeBodyBytes, OutgoingBodies } from './chunked-bodies.ts';
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
  /** False: its frame was certainly not sent; chunks of its body may have been. */
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
  /** Calls whose bodies are being sent in chunks, each followed by its frame. */
  readonly #leaving = new OutgoingBodies<OpenCall>();
  readonly #answers = new IncomingBodies();
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
          if (this.#leaving.size > 0) this.#stopSending(entry);
          this.#answers.drop(id);
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
    if (entry !== undefined) {
      if (this.#answers.has(id)) reply.body = this.#answers.join(id, reply.body);
      return entry.settle(reply);
    }
    const wasted = abandonedBy(reply);
    if (wasted !== undefined) this.#onAbandoned(wasted);
  }

  /** A part of an answer that is still to come. */
  receive(chunk: Chunk): void {
    if (this.#open.has(chunk.id)) this.#answers.add(chunk);
  }

  /**
   * What to send next, up to a message's worth: small calls as they came, and a piece of one large body. Calls that are taken
   * count as written. `chunks`: the peer reads them.
   */
  take(chunks = false): { calls: OutgoingCall[]; cancels: number[]; chunk: Chunk | undefined } {
    const calls: OutgoingCall[] = [];
    const now = performance.now();
    let bytes = 0;
    for (const entry of this.#unwritten) {
      const { call } = entry;
      const large = chunks && call.body.length > largeBodyBytes;
      if (!large && calls.length > 0 && bytes + call.body.length > messageTargetBytes) break;
      this.#unwritten.delete(entry);
      if (large) {
        this.#leaving.add(entry.id, call.body, entry);
        continue;
      }
      if (this.#write(entry, now, calls)) bytes += call.body.length;
    }
    const piece = this.#leaving.take();
    if (piece?.rest !== undefined) this.#write(piece.of, now, calls, piece.rest);
    return { calls, cancels: this.#cancels.splice(0), chunk: piece?.chunk };
  }

  /** True while a large body is on its way out. */
  get leaving(): boolean {
    return this.#leaving.size > 0;
  }

  /** Fails every call that was never sent; another instance may take them. */
  failUnwritten(error: PlatformError): void {
    for (const entry of this.#open.values()) if (!entry.written) entry.settle(failedReply(error, false));
  }

  /** The stream is gone: nobody will answer. */
  failAll(error: PlatformError): void {
    this.#leaving.clear();
    this.#answers.clear();
    for (const entry of this.#open.values()) entry.settle(failedReply(error, entry.written));
    this.#cancels.length = 0;
  }

  #giveUp(entry: OpenCall, error: PlatformError): void {
    if (entry.written) this.#cancels.push(entry.id);
    else this.#onAbandoned({ queued: 1, running: 0, wastedUs: 0 });
    entry.settle(failedReply(error, entry.written));
  }

  /** False when it is too late for the call. */
  #write(entry: OpenCall, now: number, calls: OutgoingCall[], rest?: Buffer): boolean {
    const leftMs = entry.deadlineAt - now;
    if (leftMs <= 0) {
      if (rest !== undefined) this.#cancels.push(entry.id);
      entry.settle(failedReply(tooLate(), false));
      return false;
    }
    entry.written = true;
    const deadlineMs = leftMs === Infinity ? 0 : Math.max(1, Math.round(leftMs));
    calls.push({ id: entry.id, call: entry.call, deadlineMs, ...(rest === undefined ? {} : { rest }) });
    return true;
  }

  /** The peer forgets what it has of a body that will not be whole. */
  #stopSending(entry: OpenCall): void {
    if (this.#leaving.drop(entry.id) !== undefined) this.#cancels.push(entry.id);
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
