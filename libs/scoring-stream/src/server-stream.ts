import { status, type ServerDuplexStream } from '@grpc/grpc-js';
import type { Call } from '@mooring/contracts/scoring';
import { PlatformError } from '@mooring/errors';
import type { Logger } from 'pino';
import type { AbandonedSum } from './abandoned.ts';
import { failedReply, type ScoreReply, type ScoringPort } from './port.ts';
import { messageTargetBytes, Outbox } from './outbox.ts';
import { decodeRequest } from './request-message.ts';
import { encodeResponse, type OutgoingReply, type ServerSignals } from './response-message.ts';
import type { ScoringStreamOptions } from './serve-scoring-stream.ts';

/** Answers that wait for a slow reader before the stream stops taking calls from it. */
const unsentBytesMax = 8 * 2 ** 20;
/** Calls whose caller has gone may still run; beyond this many times the credits nothing new is taken. */
const runningPerCredit = 4;

/** One stream of the server: takes calls, gives replies, keeps to its credits. */
export class ServerStream {
  readonly #stream: ServerDuplexStream<Buffer, Buffer>;
  readonly #port: ScoringPort;
  readonly #log: Logger;
  readonly #outbox: Outbox;
  readonly #open = new Map<number, AbortController>();
  readonly #abandoned: AbandonedSum;
  readonly #onEnd: () => void;
  #replies: OutgoingReply[] = [];
  #unsentBytes = 0;
  #signals: ServerSignals;
  #running = 0;
  #credits: number;
  #draining = false;
  #halfClosed = false;
  #over = false;

  constructor(
    stream: ServerDuplexStream<Buffer, Buffer>,
    options: ScoringStreamOptions & { abandoned: AbandonedSum },
    onEnd: () => void,
  ) {
    this.#stream = stream;
    this.#port = options.port;
    this.#log = options.log;
    const { credits, wantsHeaders, instanceId } = options;
    this.#credits = credits;
    this.#abandoned = options.abandoned;
    this.#onEnd = onEnd;
    this.#signals = { hello: { credits, wantsHeaders, instanceId, parallel: options.parallel?.() ?? 0 } };
    this.#outbox = new Outbox(
      () => this.#nextMessage(),
      (message, done) => void stream.write(message, done),
    );
    stream.on('data', (message: Buffer) => this.#receive(message));
    stream.on('end', () => {
      this.#halfClosed = true;
      this.#endWhenDone();
    });
    stream.on('cancelled', () => this.#finish());
    stream.on('error', () => this.#finish());
    this.#outbox.wake();
  }

  /** Calls that run for this stream, those whose caller has gone included. */
  get running(): number {
    return this.#running;
  }

  /** Says that there may be something to send. */
  wake(): void {
    this.#outbox.wake();
  }

  setCredits(credits: number): void {
    this.#credits = credits;
    this.#signals.credit = { credits };
    this.#outbox.wake();
  }

  drain(): void {
    this.#draining = true;
    this.#signals.drain = true;
    this.#outbox.wake();
  }

  #receive(message: Buffer): void {
    if (this.#over) return;
    try {
      const { calls, cancels } = decodeRequest(message);
      // What they held must be free before the calls that came with them are looked at.
      for (const { id } of cancels) this.#cancel(id);
      for (const call of calls) this.#start(call);
      for (const { id } of cancels) this.#cancel(id);
    } catch (error) {
      this.#log.warn({ err: error }, 'a scoring stream sent something that is not a frame; it is ended');
      this.#stream.emit('error', { code: status.INVALID_ARGUMENT, details: `not a scoring frame: ${String(error)}` });
    }
  }

  #start(call: Call): void {
    const refusal = this.#refusal(call.id);
    if (refusal !== undefined) {
      this.#send({ id: call.id, reply: failedReply(refusal, false) });
      return;
    }
    const abort = new AbortController();
    this.#open.set(call.id, abort);
    this.#running += 1;
    this.#port.score(call, abort.signal).then(
      (reply) => this.#done(call.id, abort, reply),
      (thrown: unknown) => {
        this.#log.error({ err: thrown, requestId: call.requestId }, 'a scoring port rejected');
        this.#done(call.id, abort, failedReply(PlatformError.from(thrown), true));
      },
    );
  }

  #refusal(id: number): PlatformError | undefined {
    if (this.#draining) return new PlatformError('unavailable', 'INSTANCE_DRAINING', 'this instance is being stopped');
    if (this.#open.has(id)) {
      return new PlatformError(
        'invalid_argument',
        'DUPLICATE_CALL_ID',
        `a call with id ${id} is already open on this stream`,
      );
    }
    if (this.#open.size >= this.#credits || this.#running >= this.#credits * runningPerCredit) {
      return new PlatformError(
        'resource_exhausted',
        'QUEUE_FULL',
        `more than ${this.#credits} calls are open on this stream`,
        {
          retryAfterMs: 1_000,
        },
      );
    }
    return undefined;
  }

  #cancel(id: number): void {
    const abort = this.#open.get(id);
    if (abort === undefined) return;
    this.#open.delete(id);
    abort.abort();
  }

  #done(id: number, abort: AbortController, reply: ScoreReply): void {
    this.#running -= 1;
    if (abort.signal.aborted || this.#over) return;
    this.#open.delete(id);
    this.#send({ id, reply });
  }

  #send(reply: OutgoingReply): void {
    this.#replies.push(reply);
    this.#unsentBytes += reply.reply.body.length;
    const refusedTooMany = this.#replies.length > this.#credits * 2 + 64;
    if (this.#outbox.writing && (this.#unsentBytes > unsentBytesMax || refusedTooMany)) this.#stream.pause();
    this.#outbox.wake();
  }

  #nextMessage(): Buffer | undefined {
    const signals = this.#signals;
    this.#signals = {};
    const abandoned = this.#abandoned.take();
    if (abandoned !== undefined) signals.abandoned = abandoned;
    let bytes = 0;
    let count = 0;
    for (const { reply } of this.#replies) {
      if (count > 0 && bytes + reply.body.length > messageTargetBytes) break;
      bytes += reply.body.length;
      count += 1;
    }
    const replies = this.#replies.splice(0, count);
    this.#unsentBytes -= bytes;
    if (this.#stream.isPaused() && this.#unsentBytes <= unsentBytesMax / 2) this.#stream.resume();
    if (replies.length > 0 || signals.hello || signals.credit || signals.drain === true || abandoned) {
      return encodeResponse(replies, signals);
    }
    this.#endWhenDone();
    return undefined;
  }

  #endWhenDone(): void {
    if (!this.#halfClosed || this.#open.size > 0 || this.#replies.length > 0 || this.#outbox.writing) return;
    this.#stream.end();
    this.#finish();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#outbox.close();
    this.#replies = [];
    for (const abort of this.#open.values()) abort.abort();
    this.#open.clear();
    this.#onEnd();
  }
}
