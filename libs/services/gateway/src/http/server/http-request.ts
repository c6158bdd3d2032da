import type { PlatformError } from '@mooring/errors';
import type { RequestHead } from './request-head.ts';

/** Takes a body that is still arriving. */
export interface BodyReceiver {
  /** What is kept of `piece` has to be copied: it is overwritten afterwards. */
  data(piece: Buffer): void;
  end(): void;
  /** The body will not be complete: it is malformed, too slow, or its sender is gone. */
  fail(error: PlatformError): void;
}

export interface HttpResponse {
  status: number;
  /** Whole header lines, each with its line end; without `content-length`, `date` and `connection`. */
  headers: string;
  body: Buffer;
}

/** Told of a request's end. */
export interface RequestOwner {
  /** Called once: the answer is out (true), or the caller was gone before that. */
  closed(delivered: boolean): void;
}

/** What a request needs of its connection. */
export interface RequestConnection {
  readonly signal: AbortSignal;
  /** A request has its answer, wants to be told to continue, or takes its body now. */
  changed(): void;
  destroy(): void;
}

/** One request from its head to the last byte of its answer. */
export class HttpRequest {
  readonly head: RequestHead;
  /** Whoever answers; an object, because a closure for each request made the garbage collector keep all of them for long. */
  owner: RequestOwner | undefined;
  readonly #connection: RequestConnection;
  #complete = false;
  #pieces: Buffer[] | undefined;
  #receiver: BodyReceiver | undefined;
  #problem: PlatformError | undefined;
  #response: HttpResponse | undefined;
  #wantsContinue = false;
  #closed = false;

  constructor(head: RequestHead, connection: RequestConnection) {
    this.head = head;
    this.#connection = connection;
  }

  /** True once the whole body is here. */
  get complete(): boolean {
    return this.#complete;
  }

  /** True when there is nobody left to answer, or an answer was given. */
  get settled(): boolean {
    return this.#closed || this.#response !== undefined;
  }

  /** Aborts when the caller is gone. All requests of one connection share it. */
  get signal(): AbortSignal {
    return this.#connection.signal;
  }

  /** The body when it came as one with the head, as it does when it is small: nothing to wait for then. */
  takeWhole(): Buffer | undefined {
    if (!this.#complete || this.#receiver !== undefined) return undefined;
    const pieces = this.#pieces ?? [];
    return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
  }

  /** Has the body given to `receiver`, beginning with what is here already. A caller that waits for it is told to send. */
  receive(receiver: BodyReceiver): void {
    this.#receiver = receiver;
    for (const piece of this.#pieces ?? []) receiver.data(piece);
    this.#pieces = undefined;
    if (this.#problem !== undefined) receiver.fail(this.#problem);
    else if (this.#complete) receiver.end();
    else {
      this.#wantsContinue = this.head.expectsContinue;
      this.#connection.changed();
    }
  }

  /** Answers. Goes out once the answers to earlier requests of the connection are. Must not be called twice. */
  respond(response: HttpResponse): void {
    this.#response = response;
    this.#wantsContinue = false;
    if (!this.#closed) this.#connection.changed();
  }

  /** Ends the connection without an answer. */
  destroy(): void {
    this.#connection.destroy();
  }

  // What follows is the connection's.

  get response(): HttpResponse | undefined {
    return this.#response;
  }

  /** True when the body will not be complete. */
  get broken(): boolean {
    return this.#problem !== undefined;
  }

  /** True while somebody takes the body. */
  get receiving(): boolean {
    return this.#receiver !== undefined;
  }

  /** The caller asked before sending its body and was not told to go on: nothing is under way. */
  get waitsToContinue(): boolean {
    return this.head.expectsContinue && this.#receiver === undefined && this.#pieces === undefined;
  }

  /** True once, when the caller is to be told to send its body. */
  takeContinue(): boolean {
    const wanted = this.#wantsContinue;
    this.#wantsContinue = false;
    return wanted;
  }

  /** `piece` is a view of bytes that are overwritten: what waits for a receiver is copied. */
  push(piece: Buffer): void {
    if (this.#receiver !== undefined) this.#receiver.data(piece);
    else if (this.#pieces === undefined) this.#pieces = [Buffer.from(piece)];
    else this.#pieces.push(Buffer.from(piece));
  }

  finish(): void {
    this.#complete = true;
    this.#receiver?.end();
  }

  break(problem: PlatformError): void {
    if (this.#complete || this.#problem !== undefined) return;
    this.#problem = problem;
    this.#receiver?.fail(problem);
  }

  close(delivered: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    this.owner?.closed(delivered);
  }

  /** Throws away what is still to come of a request that is answered; without all of it, the connection is of no use. */
  drop(): void {
    this.receive({ data: () => undefined, end: () => undefined, fail: () => this.destroy() });
  }

  /** A receiver that throws away what nobody wants any more. */
  discard(onEnd: () => void, bytesMax: number): void {
    let bytes = 0;
    this.receive({
      data: (piece) => {
        bytes += piece.length;
        if (bytes > bytesMax) onEnd();
      },
      end: onEnd,
      fail: onEnd,
    });
  }
}
