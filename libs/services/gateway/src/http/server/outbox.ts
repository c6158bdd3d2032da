import type { Socket } from 'node:net';
import type { HttpRequest } from './http-request.ts';

/** Answers that wait for one write are put into one buffer up to here. */
const joinBytesMax = 64 * 1024;
const noBytes = Buffer.alloc(0);

/** The answers of one connection on their way out: those of one turn leave in one write. */
export class Outbox {
  readonly #socket: Socket;
  readonly #stallTimeoutMs: number;
  /** Called when the socket had been full and is empty again. */
  readonly #onEmpty: () => void;
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** Whose answers are among the pieces. */
  #answered: HttpRequest[] = [];

  constructor(socket: Socket, stallTimeoutMs: number, onEmpty: () => void) {
    this.#socket = socket;
    this.#stallTimeoutMs = stallTimeoutMs;
    this.#onEmpty = onEmpty;
  }

  /** True when nothing should be added for now. */
  get full(): boolean {
    return this.#bytes > joinBytesMax || this.#socket.writableNeedDrain;
  }

  /** True when everything is with the operating system. */
  get empty(): boolean {
    return this.#bytes === 0 && this.#socket.writableLength === 0;
  }

  put(bytes: Buffer): void {
    this.#pieces.push(bytes);
    this.#bytes += bytes.length;
  }

  /** `pieces` answer `request`, which is closed once they are out. */
  answer(request: HttpRequest, pieces: readonly Buffer[]): void {
    for (const piece of pieces) this.put(piece);
    this.#answered.push(request);
  }

  flush(): void {
    const pieces = this.#pieces;
    if (pieces.length === 0) return;
    const answered = this.#answered;
    this.#pieces = [];
    this.#answered = [];
    this.#bytes = 0;
    write(this.#socket, pieces);
    if (this.#socket.writableLength > 0) this.#closeLater(answered);
    else close(answered, this.#socket.errored === null && !this.#socket.destroyed);
  }

  /** The connection is gone, and what waits goes nowhere. */
  abandon(): void {
    const answered = this.#answered;
    this.#pieces = [];
    this.#answered = [];
    this.#bytes = 0;
    close(answered, false);
  }

  /** The socket is full: these are out when their reader has read. One that does not is given up. */
  #closeLater(answered: readonly HttpRequest[]): void {
    this.#socket.setTimeout(this.#stallTimeoutMs);
    this.#socket.write(noBytes, (error) => {
      this.#socket.setTimeout(0);
      close(answered, !error);
      this.#onEmpty();
    });
  }
}

function close(requests: readonly HttpRequest[], delivered: boolean): void {
  for (const request of requests) request.close(delivered);
}

function write(socket: Socket, pieces: readonly Buffer[]): void {
  if (pieces.length === 1) {
    socket.write(pieces[0] as Buffer);
    return;
  }
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
  if (bytes <= joinBytesMax) socket.write(Buffer.concat(pieces, bytes));
  else {
    socket.cork();
    for (const piece of pieces) socket.write(piece);
    socket.uncork();
  }
}
