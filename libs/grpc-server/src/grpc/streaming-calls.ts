import { Duplex, Readable, Writable } from 'node:stream';
import {
  Metadata,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import { okWith, statusFrom } from './call-status.ts';
import { callSurface } from './call-surface.ts';
import type { Call, CallConsumer } from './call.ts';
import type { ResponseStatus } from '../http2/response-encoder.ts';
import { replyTo, tooFew, tooMany } from './unary-call.ts';

/** Many messages in, one out. */
export class ReadableCall
  extends callSurface(Readable)
  implements ServerReadableStream<unknown, unknown>, CallConsumer
{
  constructor(call: Call) {
    super({ objectMode: true });
    this.call = call;
    // Without a listener an error would end the process; the call was told already.
    this.on('error', (error) => call.fail(error));
  }

  start(): void {
    const reply = replyTo(this.call);
    this.call.run(() => (this.call.method.handler as handleClientStreamingCall<unknown, unknown>)(this, reply));
  }

  override _read(): void {
    this.call.read();
  }

  override read(size?: number): unknown {
    const message: unknown = super.read(size);
    if (this.readableLength === 0) this.call.taken();
    return message;
  }

  onMessage(message: unknown): void {
    this.push(message);
    // A handler that listens got it without a `read`.
    if (this.readableLength === 0) this.call.taken();
  }

  onEnd(): void {
    this.push(null);
  }

  onCancelled(): void {
    cancel(this);
  }

  onFinished(): void {
    release(this);
  }
}

/** One message in, many out. */
export class WritableCall
  extends callSurface(Writable)
  implements ServerWritableStream<unknown, unknown>, CallConsumer
{
  request: unknown;
  readonly #ending: Ending;
  #received = false;

  constructor(call: Call) {
    super({ objectMode: true });
    this.call = call;
    this.#ending = endingOf(this, call);
  }

  override _write(message: unknown, _encoding: string, done: () => void): void {
    this.call.write(message, done);
  }

  override _final(done: () => void): void {
    done();
    this.call.finish(this.#ending.status());
  }

  override end(metadata?: unknown): this {
    this.#ending.trailer(metadata);
    return super.end();
  }

  onMessage(message: unknown): void {
    if (this.#received) {
      this.call.fail(tooMany(this.call));
      return;
    }
    this.#received = true;
    this.request = message;
    this.call.read();
  }

  onEnd(): void {
    if (!this.#received) this.call.fail(tooFew(this.call));
    else this.call.run(() => (this.call.method.handler as handleServerStreamingCall<unknown, unknown>)(this));
  }

  onCancelled(): void {
    cancel(this);
  }

  onFinished(): void {
    release(this);
  }
}

/** Many messages both ways. */
export class DuplexCall extends callSurface(Duplex) implements ServerDuplexStream<unknown, unknown>, CallConsumer {
  readonly #ending: Ending;

  constructor(call: Call) {
    super({ objectMode: true });
    this.call = call;
    this.#ending = endingOf(this, call);
  }

  start(): void {
    this.call.run(() => (this.call.method.handler as handleBidiStreamingCall<unknown, unknown>)(this));
  }

  override _read(): void {
    this.call.read();
  }

  override read(size?: number): unknown {
    const message: unknown = super.read(size);
    if (this.readableLength === 0) this.call.taken();
    return message;
  }

  override _write(message: unknown, _encoding: string, done: () => void): void {
    this.call.write(message, done);
  }

  override _final(done: () => void): void {
    done();
    this.call.finish(this.#ending.status());
  }

  override end(metadata?: unknown): this {
    this.#ending.trailer(metadata);
    return super.end();
  }

  onMessage(message: unknown): void {
    this.push(message);
    // A handler that listens got it without a `read`.
    if (this.readableLength === 0) this.call.taken();
  }

  onEnd(): void {
    this.push(null);
  }

  onCancelled(): void {
    cancel(this);
  }

  onFinished(): void {
    release(this);
  }
}

interface Ending {
  status(): ResponseStatus;
  /** Keeps what `end` was given, if it is metadata. */
  trailer(metadata: unknown): void;
}

/** As with grpc-js: `emit('error', status)` ends a stream with that status, after what was written; `end(metadata)` with OK. */
function endingOf(stream: Writable, call: Call): Ending {
  let failure: { thrown: unknown } | undefined;
  let trailer: Metadata | undefined;
  stream.on('error', (thrown: unknown) => {
    failure ??= { thrown };
    if (stream.destroyed || stream.writableEnded) call.fail(thrown);
    else stream.end();
  });
  return {
    status: () => (failure === undefined ? okWith(trailer) : statusFrom(failure.thrown)),
    trailer: (metadata) => {
      if (metadata instanceof Metadata) trailer = metadata;
    },
  };
}

/** Frees what is left of a call object, after its own `finish` was told. */
function release(stream: Readable | Writable): void {
  setImmediate(() => stream.destroy());
}

function cancel(stream: (Readable | Writable) & { cancelled: boolean }): void {
  stream.cancelled = true;
  stream.emit('cancelled', 'cancelled');
  if (stream instanceof Readable) stream.push(null);
  stream.destroy();
}
