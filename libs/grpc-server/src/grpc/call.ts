import { status, type Metadata } from '@grpc/grpc-js';
import { PlatformError } from '@mooring/errors';
import type { Inflations } from '@mooring/overload';
import type { Logger } from 'pino';
import { errorCode } from '../http2/protocol.ts';
import type { RequestHead } from '../http2/request-head.ts';
import type { ResponseStatus } from '../http2/response-encoder.ts';
import { messagePrefixBytes } from '../http2/sender.ts';
import type { Stream, StreamSink } from '../http2/stream.ts';
import type { ByteBudget } from './byte-budget.ts';
import { CallError } from './call-error.ts';
import type { InflationGuard } from './inflation-guard.ts';
import { metadataMaxBytes, okWith, statusFrom, statusWith } from './call-status.ts';
import { UnpackedMessage } from './unpacked-message.ts';
import { MessageReader, type RawMessage } from './message-reader.ts';
import { encodeMetadata, metadataFrom } from './metadata.ts';
import type { Method } from './method.ts';
import { watchDeadline } from './timeout.ts';

/** What all calls of a server share. */
export interface CallSettings {
  log: Logger;
  receiveMaxBytes: number;
  sendMaxBytes: number;
  budget: ByteBudget;
  inflations: Inflations;
}

/** The handler's side of a call. */
export interface CallConsumer {
  /** One decoded message; the next comes after `Call.read`. */
  onMessage(message: unknown): void;
  /** The caller has sent its last message. */
  onEnd(): void;
  /** The caller is gone, or its deadline has passed. */
  onCancelled(): void;
  /** The answer is on its way; nothing follows. */
  onFinished(): void;
}

/** What a message costs beside its bytes while it waits to be read. */
const queuedOverheadBytes = 256;

/** One gRPC call: messages, status, deadline and cancellation over one HTTP/2 stream. */
export class Call implements StreamSink {
  readonly method: Method;
  readonly authority: string;
  readonly stream: Stream;
  deadlineMs = Infinity;
  consumer: CallConsumer | undefined;
  readonly #settings: CallSettings;
  readonly #fields: readonly string[];
  readonly #encoding: string;
  #metadata: Metadata | undefined;
  #reader: MessageReader | undefined;
  #queue: RawMessage[] | undefined;
  #wanted: boolean;
  /** What came compressed and still counts; the last one may be in the making. */
  #unpacked: UnpackedMessage[] | undefined;
  #unpacking = false;
  #guard: InflationGuard | undefined;
  #working = false;
  #halfClosed = false;
  #withheld = 0;
  #over = false;
  #stopWatch: (() => void) | undefined;

  constructor(stream: Stream, head: RequestHead, method: Method, settings: CallSettings) {
    this.stream = stream;
    this.method = method;
    this.authority = head.authority;
    this.#fields = head.metadata;
    this.#encoding = head.encoding;
    this.#settings = settings;
    // A stream's reader asks for itself; whoever takes one message wants it at once.
    this.#wanted = !method.requestStream;
  }

  /** Made when first asked for: many handlers never do. */
  get metadata(): Metadata {
    this.#metadata ??= metadataFrom(this.#fields);
    return this.#metadata;
  }

  get log(): Logger {
    return this.#settings.log;
  }

  /** Ends the call with DEADLINE_EXCEEDED after `timeoutMs`. */
  limit(timeoutMs: number): void {
    this.deadlineMs = Date.now() + timeoutMs;
    this.#stopWatch = watchDeadline(this.deadlineMs, () => {
      this.#cancel(statusWith(status.DEADLINE_EXCEEDED, 'Deadline exceeded'));
    });
  }

  onData(chunk: Buffer): void {
    if (this.#over) return;
    try {
      this.#take(chunk);
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  onEnd(): void {
    if (this.#over) return;
    if (this.#reader !== undefined && !this.#reader.empty) {
      this.fail(new CallError(status.INTERNAL, 'the caller ended in the middle of a message'));
      return;
    }
    this.#halfClosed = true;
    this.#deliver();
  }

  onBroken(): void {
    this.#cancel(undefined);
  }

  /** A handler has the request; until `handled`, also when its caller is gone, it may keep it in memory. */
  handling(): void {
    this.#working = true;
  }

  handled(): void {
    this.#working = false;
    if (this.#over) this.#releaseUnpacked();
  }

  /** The handler of a stream has taken out everything that came so far. */
  taken(): void {
    if (this.#unpacked === undefined) return;
    const making = this.#unpacking ? this.#unpacked.pop() : undefined;
    this.#releaseUnpacked();
    if (making !== undefined) this.#unpacked = [making];
  }

  /** Asks for the next message. */
  read(): void {
    this.#wanted = true;
    this.#deliver();
  }

  sendMetadata(metadata: Metadata): void {
    const extra = encodeMetadata(metadata);
    if (extra !== undefined && extra.length > metadataMaxBytes) {
      throw new RangeError(`the metadata has ${extra.length} bytes; at most ${metadataMaxBytes} are sent`);
    }
    this.stream.respond(extra);
  }

  /** Sends one message of a stream; `done` when the next may come. */
  write(message: unknown, done: () => void): void {
    const bytes = this.#over ? undefined : this.#serialize(message);
    if (bytes === undefined) done();
    else this.stream.write(bytes, done);
  }

  /** Sends the one message of the answer. */
  answer(message: unknown, trailer: Metadata | null | undefined): void {
    const bytes = this.#over ? undefined : this.#serialize(message);
    if (bytes === undefined) return;
    this.#close();
    this.stream.answer(bytes, okWith(trailer));
    this.consumer?.onFinished();
  }

  finish(ended: ResponseStatus): void {
    if (this.#over) return;
    this.#close();
    this.stream.finish(ended);
    this.consumer?.onFinished();
  }

  /** Ends the call with what went wrong. */
  fail(thrown: unknown, trailer?: Metadata): void {
    if (this.#over) return;
    const coded = thrown instanceof CallError || Number.isInteger((thrown as { code?: unknown } | null)?.code);
    if (!coded) {
      const error = PlatformError.from(thrown);
      if (error.code === 'internal') {
        this.log.error({ err: error.cause ?? error, method: this.method.path, reason: error.reason }, 'call failed');
      }
    }
    this.finish(statusFrom(thrown, trailer));
  }

  /** Runs the handler, or a part of it: whatever it throws ends the call and nothing else. */
  run(body: () => unknown): void {
    try {
      const result = body();
      if (result instanceof Promise) result.catch((thrown: unknown) => this.fail(thrown));
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  #take(chunk: Buffer): void {
    // Nearly every request is one message in one piece.
    const whole =
      this.#wanted &&
      this.#queue === undefined &&
      (this.#reader === undefined || this.#reader.empty) &&
      chunk.length >= messagePrefixBytes &&
      chunk[0] === 0 &&
      chunk.readUInt32BE(1) === chunk.length - messagePrefixBytes &&
      chunk.length - messagePrefixBytes <= this.#settings.receiveMaxBytes;
    if (whole) {
      this.stream.credit(chunk.length);
      this.#wanted = false;
      this.#hand(chunk.subarray(messagePrefixBytes));
      return;
    }
    this.#withheld += chunk.length;
    this.#reader ??= new MessageReader(this.#settings.receiveMaxBytes, this.#settings.budget);
    for (const message of this.#reader.push(chunk)) {
      if (!this.#settings.budget.take(message.bytes.length + queuedOverheadBytes)) {
        throw new CallError(status.RESOURCE_EXHAUSTED, 'the server holds too many unread messages; try again later');
      }
      this.#queue ??= [];
      this.#queue.push(message);
    }
    this.#deliver();
  }

  #deliver(): void {
    if (!this.#wanted || this.#unpacking || this.#over) return;
    const message = this.#queue?.shift();
    if (message !== undefined) {
      this.#wanted = false;
      this.#credit(message.bytes.length + messagePrefixBytes);
      if (message.compressed) this.#unpack(message.bytes);
      else {
        this.#settings.budget.giveBack(message.bytes.length + queuedOverheadBytes);
        this.#hand(message.bytes);
      }
      return;
    }
    this.#queue = undefined;
    // Of a message that is not complete yet, all that came is given back: it may be larger than the window.
    this.#credit(this.#withheld);
    if (!this.#halfClosed) return;
    this.#wanted = false;
    this.consumer?.onEnd();
  }

  #credit(bytes: number): void {
    const given = Math.min(bytes, this.#withheld);
    if (given === 0) return;
    this.#withheld -= given;
    this.stream.credit(given);
  }

  #guarded(): InflationGuard {
    const bytesMax = this.#settings.receiveMaxBytes;
    const guard = this.method.guardInflation?.(this.method.path, this.metadata);
    return guard === undefined ? { bytesMax } : { ...guard, bytesMax: Math.min(bytesMax, guard.bytesMax) };
  }

  #unpack(bytes: Buffer): void {
    const { budget, inflations } = this.#settings;
    const one = new UnpackedMessage(budget, bytes.length + queuedOverheadBytes);
    this.#unpacked ??= [];
    this.#unpacked.push(one);
    if (this.#unpacked.length > 1 && !this.method.requestStream) {
      // One too many, whatever is in it.
      this.consumer?.onMessage(undefined);
      return;
    }
    let guard: InflationGuard;
    try {
      guard = this.#guard ??= this.#guarded();
    } catch (thrown) {
      this.fail(thrown);
      return;
    }
    this.#unpacking = true;
    const unpacked = (message: Buffer): void => {
      this.#unpacking = false;
      if (this.#over) return;
      this.#hand(message);
      this.#deliver();
    };
    one
      .open(inflations, this.#encoding, bytes, guard, this.stream.connection)
      .then(unpacked)
      .catch((thrown: unknown) => this.fail(thrown));
  }

  #releaseUnpacked(): void {
    for (const one of this.#unpacked ?? []) one.release();
    this.#unpacked = undefined;
  }

  #hand(bytes: Buffer): void {
    let message: unknown;
    try {
      message = this.method.deserialize(bytes);
    } catch {
      this.fail(new CallError(status.INTERNAL, 'Error deserializing request'));
      return;
    }
    this.consumer?.onMessage(message);
  }

  #serialize(message: unknown): Buffer | undefined {
    let bytes: Buffer;
    try {
      bytes = this.method.serialize(message);
    } catch (thrown) {
      this.log.error({ err: thrown, method: this.method.path }, 'an answer cannot be serialized');
      this.fail(new CallError(status.INTERNAL, 'Error serializing response'));
      return undefined;
    }
    const most = this.#settings.sendMaxBytes;
    if (bytes.length <= most) return bytes;
    this.fail(
      new CallError(status.RESOURCE_EXHAUSTED, `the answer has ${bytes.length} bytes; at most ${most} are sent`),
    );
    return undefined;
  }

  #cancel(ended: ResponseStatus | undefined): void {
    if (this.#over) return;
    this.#close();
    // What waits for a caller who does not read would hold the status back.
    if (this.stream.pendingBytes > 0) this.stream.reset(errorCode.cancel);
    else if (ended !== undefined) this.stream.finish(ended);
    try {
      this.consumer?.onCancelled();
    } catch (thrown) {
      this.log.error({ err: thrown, method: this.method.path }, "a handler's cancellation failed");
    }
  }

  /** Nothing is taken from the caller any more. */
  #close(): void {
    this.#over = true;
    this.#stopWatch?.();
    this.#reader?.close();
    if (!this.#working || this.#unpacking) this.#releaseUnpacked();
    for (const { bytes } of this.#queue ?? []) this.#settings.budget.giveBack(bytes.length + queuedOverheadBytes);
    this.#queue = undefined;
  }
}
