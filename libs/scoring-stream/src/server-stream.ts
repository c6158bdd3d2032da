import { status, type ServerDuplexStream } from '@grpc/grpc-js';
import type { Call, Chunk } from '@mooring/contracts/scoring';
import { PlatformError } from '@mooring/errors';
import type { Logger } from 'pino';
import { abandonedBy, type AbandonedSum } from './abandoned.ts';
import { CallLengths } from './call-lengths.ts';
import { IncomingBodies, largeBodyBytes, OutgoingBodies } from './chunked-bodies.ts';
import { failedReply, type ScoreReply, type ScoringPort } from './port.ts';
import { free, MessageRoom, messageTargetBytes, Outbox } from './outbox.ts';
import { decodeRequest } from './request-message.ts';
import { encodeResponse, type OutgoingReply, type ServerSignals } from './response-message.ts';
import type { ScoringStreamOptions } from './serve-scoring-stream.ts';

/** Answers that wait for a slow reader before the stream stops taking calls from it. */
const unsentBytesMax = 8 * 2 ** 20;
/** The same for large ones, between whose chunks all others go. */
const unsentLargeBytesMax = 256 * 2 ** 20;
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
  /** Bodies of calls that come in chunks. */
  readonly #arriving = new IncomingBodies();
  /** Calls that were refused when their first chunk came; the rest of them is not looked at. */
  readonly #refused = new Set<number>();
  /** Replies that are sent in chunks. */
  readonly #leaving = new OutgoingBodies<OutgoingReply>();
  #replies: OutgoingReply[] = [];
  #unsentBytes = 0;
  #unsentLargeBytes = 0;
  #peerReadsChunks = false;
  readonly #room = new MessageRoom();
  readonly #lengths = new CallLengths();
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
    const parallel = options.parallel?.() ?? 0;
    this.#signals = { hello: { credits, wantsHeaders, instanceId, parallel, readsChunks: true } };
    this.#outbox = new Outbox(
      () => this.#nextMessage(),
      (message, done) => void stream.write(message, done),
    );
    stream.on('data', (message: Buffer) => this.#receive(message));
    stream.on('end', () => {
      this.#halfClosed = true;
      this.#arriving.clear();
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
      const { calls, cancels, chunks, readsChunks } = decodeRequest(message);
      if (readsChunks) this.#peerReadsChunks = true;
      // What they held must be free before the calls that came with them are looked at.
      for (const { id } of cancels) this.#cancel(id);
      for (const chunk of chunks) this.#arrive(chunk);
      for (const call of calls) this.#start(call);
      for (const { id } of cancels) this.#cancel(id);
      if (calls.length === 0 && chunks.length > 0) free(message);
    } catch (error) {
      this.#log.warn({ err: error }, 'a scoring stream sent something that is not a frame; it is ended');
      this.#stream.emit('error', { code: status.INVALID_ARGUMENT, details: `not a scoring frame: ${String(error)}` });
    }
  }

  /** A part of a call's body: whether there is room for the call is decided now, not when all of it has come. */
  #arrive(chunk: Chunk): void {
    const { id } = chunk;
    if (this.#refused.has(id)) return;
    const refusal = this.#arriving.has(id) ? undefined : this.#refusal(id);
    if (refusal === undefined) {
      this.#arriving.add(chunk);
      return;
    }
    if (this.#refused.size > this.#credits * 2 + 64) throw new RangeError('too many calls go on after their refusal');
    this.#refused.add(id);
    this.#send({ id, reply: failedReply(refusal, false) });
  }

  #start(call: Call): void {
    if (this.#refused.delete(call.id)) return;
    call.body = this.#arriving.join(call.id, call.body);
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
    if (this.#open.size + this.#arriving.size >= this.#credits || this.#running >= this.#credits * runningPerCredit) {
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
    this.#refused.delete(id);
    this.#arriving.drop(id);
    const abort = this.#open.get(id);
    if (abort === undefined) return this.#stopSending(id);
    this.#open.delete(id);
    abort.abort();
  }

  /** Nobody waits for an answer any more that was on its way. */
  #stopSending(id: number): void {
    const unread = this.#leaving.drop(id);
    if (unread === undefined) return;
    this.#unsentLargeBytes -= unread.reply.body.length;
    const wasted = abandonedBy(unread.reply);
    if (wasted !== undefined) this.#abandoned.add(wasted);
    this.#outbox.wake();
  }

  #done(id: number, abort: AbortController, reply: ScoreReply): void {
    this.#running -= 1;
    if (abort.signal.aborted || this.#over) return;
    this.#open.delete(id);
    this.#lengths.note(reply);
    this.#send({ id, reply });
  }

  #send(outgoing: OutgoingReply): void {
    const { body } = outgoing.reply;
    if (this.#peerReadsChunks && body.length > largeBodyBytes) {
      this.#leaving.add(outgoing.id, body, outgoing);
      this.#unsentLargeBytes += body.length;
    } else {
      this.#replies.push(outgoing);
      this.#unsentBytes += body.length;
    }
    const refusedTooMany = this.#replies.length > this.#credits * 2 + 64;
    const tooMuch = this.#unsentBytes > unsentBytesMax || this.#unsentLargeBytes > unsentLargeBytesMax;
    if (this.#outbox.writing && (tooMuch || refusedTooMany)) this.#stream.pause();
    this.#outbox.wake(this.#lengths.long);
  }

  /** A message's worth of small answers as they came, and a piece of one large one. */
  #takeReplies(): { replies: OutgoingReply[]; chunk: Chunk | undefined } {
    let bytes = 0;
    let count = 0;
    for (const { reply } of this.#replies) {
      if (count > 0 && bytes + reply.body.length > messageTargetBytes) break;
      bytes += reply.body.length;
      count += 1;
    }
    const replies = this.#replies.splice(0, count);
    this.#unsentBytes -= bytes;
    const piece = this.#leaving.take();
    if (piece?.rest !== undefined) {
      this.#unsentLargeBytes -= piece.of.reply.body.length;
      replies.push({ ...piece.of, rest: piece.rest });
    }
    return { replies, chunk: piece?.chunk };
  }

  #nextMessage(): Buffer | undefined {
    const signals = this.#signals;
    this.#signals = {};
    const abandoned = this.#abandoned.take();
    if (abandoned !== undefined) signals.abandoned = abandoned;
    const { replies, chunk } = this.#takeReplies();
    const isLittle = this.#unsentBytes <= unsentBytesMax / 2 && this.#unsentLargeBytes <= unsentLargeBytesMax / 2;
    if (isLittle && this.#stream.isPaused()) this.#stream.resume();
    if (replies.length > 0 || chunk || signals.hello || signals.credit || signals.drain === true || abandoned) {
      return encodeResponse(replies, signals, chunk, chunk && this.#room.take);
    }
    this.#endWhenDone();
    return undefined;
  }

  #endWhenDone(): void {
    if (!this.#halfClosed || this.#open.size > 0 || this.#outbox.writing) return;
    if (this.#replies.length > 0 || this.#leaving.size > 0) return;
    this.#stream.end();
    this.#finish();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#outbox.close();
    this.#replies = [];
    this.#leaving.clear();
    this.#arriving.clear();
    for (const abort of this.#open.values()) abort.abort();
    this.#open.clear();
    this.#onEnd();
  }
}
