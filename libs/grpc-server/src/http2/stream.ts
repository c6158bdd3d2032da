import type { Connection } from './connection.ts';
import type { ResponseStatus } from './response-encoder.ts';

/** Who is told what a caller sends. */
export interface StreamSink {
  /** A part of the body; valid as long as it is referenced, never changed. */
  onData(chunk: Buffer): void;
  onEnd(): void;
  /** The stream ended before its answer was complete: reset by the caller or by us, or its connection is gone. */
  onBroken(code: number): void;
}

/** Bytes of an answer that wait for a window. */
export interface PendingData {
  bytes: Buffer;
  /** Called when the last of them was handed to the socket, or can never be. */
  done: (() => void) | undefined;
}

/** One request and its answer. Its state is kept by its connection; `Sender` owns what is sent, `Connection` the rest. */
export class Stream {
  readonly id: number;
  readonly connection: Connection;
  sink: StreamSink | undefined;
  /** The caller has said everything. */
  remoteEnded = false;
  /** The answer is complete, all of it handed to the socket. */
  localEnded = false;
  /** Reset, or its connection is gone: nothing can be sent any more. */
  broken = false;
  headSent = false;
  sendWindow: number;
  receiveWindow: number;
  /** Taken in but not yet given back to the caller's window. */
  toCredit = 0;
  /** What content-length promised and has not come; -1 = not said. */
  contentLeft: number;
  pending: PendingData[] | undefined;
  pendingBytes = 0;
  /** Set when nothing but `pending` comes before it. */
  status: ResponseStatus | undefined;
  /** When the last byte of `pending` left, ms of performance.now(). */
  progressAtMs = 0;

  constructor(id: number, connection: Connection, sendWindow: number, receiveWindow: number, contentLength: number) {
    this.id = id;
    this.connection = connection;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
    this.contentLeft = contentLength;
  }

  /** True when there is nobody to answer any more. */
  get over(): boolean {
    return this.broken || this.localEnded || this.status !== undefined;
  }

  /** Sends the head of the answer. `extra`: encoded metadata. */
  respond(extra: Buffer | undefined): void {
    if (!this.over && !this.headSent) this.connection.sender.head(this, extra);
  }

  /** Sends one message; `done` when the next one may come. */
  write(message: Buffer, done: (() => void) | undefined): void {
    if (this.over) done?.();
    else this.connection.sender.message(this, message, done);
  }

  /** Sends the one message of an answer and its status. */
  answer(message: Buffer, status: ResponseStatus): void {
    if (!this.over) this.connection.sender.answer(this, message, status);
  }

  /** Ends the answer, after everything that was written. */
  finish(status: ResponseStatus): void {
    if (!this.over) this.connection.sender.finish(this, status);
  }

  /** Says no to what is no gRPC call. */
  refuse(httpStatus: number, fields: readonly (readonly [string, string])[]): void {
    if (!this.over) this.connection.sender.refuse(this, httpStatus, fields);
  }

  reset(code: number): void {
    if (!this.broken && !this.localEnded) this.connection.reset(this, code);
  }

  /** Lets the caller send `bytes` more. */
  credit(bytes: number): void {
    this.connection.credit(this, bytes);
  }
}
