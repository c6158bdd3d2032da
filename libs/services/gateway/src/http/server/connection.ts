import type { Socket } from 'node:net';
import { PlatformError } from '@mooring/errors';
import { detachSocket } from '@mooring/runtime';
import { encodeResponse } from './encode-response.ts';
import { HttpRequest, type HttpResponse, type RequestConnection } from './http-request.ts';
import { MessageParser, type MessageSink } from './message-parser.ts';
import { Outbox } from './outbox.ts';
import { bodyTooSlow, callerGone, expectationFailed, requestTooSlow } from './problems.ts';
import type { RequestHead } from './request-head.ts';
import type { ServerState } from './server-state.ts';
import { readShared } from './shared-read.ts';

/**
 * So much of a body that nobody wants is read for the sake of the connection. Most senders send on either way, and then a
 * new connection comes on top: a megabyte took 0.7 ms of processor time on one that is kept, 1.4 ms with a new one each time.
 */
const unwantedBytesMax = 2 ** 20;
/** How much, beside how long, of a body that nobody wants is still read so that its sender sees the answer. */
const lingerBytesMax = 16 * 2 ** 20;
/** So much is read while nothing may be taken: only who reads hears that the caller has left. */
const heldBytesMax = 64 * 1024;
const continueLine = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n');
const closeLine = 'connection: close\r\n';

/** One caller's connection: takes its requests apart, and writes the answers in the order of the requests. */
export class Connection implements MessageSink, RequestConnection {
  readonly #socket: Socket;
  readonly #server: ServerState;
  readonly #parser: MessageParser;
  readonly #outbox: Outbox;
  /** Handed over and not yet answered, in the order in which they came. */
  readonly #open: HttpRequest[] = [];
  /** The request whose body is not complete. */
  #arriving: HttpRequest | undefined;
  #handedOver = false;
  /** `lingering`: all is answered, and the rest of a body is dropped; `ending`: our side is closed. */
  #state: 'open' | 'lingering' | 'ending' = 'open';
  /** No further request is taken: it was the caller's last, or what came is no request. */
  #last = false;
  /** Answer to what is no request; goes out behind the answers that are owed. */
  #refusal: string | undefined;
  #held = false;
  #busy = false;
  /** The server knows that there is something to write. */
  #toWrite = false;
  #served: boolean;
  #dropped = 0;
  /** Ticks of the server's clock: when something last came, when the present head began, when the last head was complete. */
  #since: number;
  #headSince: number;
  #bodySince = 0;
  #gone: AbortController | undefined;

  /** `kept`: another process has answered requests on it before. */
  constructor(socket: Socket, server: ServerState, kept = false) {
    this.#served = kept;
    this.#socket = socket;
    this.#server = server;
    this.#since = server.tick;
    this.#headSince = server.tick;
    this.#parser = new MessageParser(server.limits, this);
    this.#outbox = new Outbox(socket, server.limits.writeStallTimeoutMs, () => {
      if (server.closing) this.closeIfIdle();
    });
    readShared(socket, (bytes) => this.#take(bytes));
    socket.on('drain', () => {
      if (this.#held && !this.#mustWait()) this.#resume();
    });
    socket.on('timeout', () => socket.destroy());
    socket.on('error', () => undefined);
    socket.on('close', () => this.#onClose());
  }

  get signal(): AbortSignal {
    this.#gone ??= new AbortController();
    return this.#gone.signal;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Closes the connection, or gives it away, if it waits for a request; else the next answer says that it will be closed. */
  closeIfIdle(): void {
    const busy = this.#open.length > 0 || !this.#parser.between || !this.#outbox.empty;
    if (this.#state !== 'open' || this.#last || busy) return;
    const { give } = this.#server;
    const raw = give === undefined ? undefined : detachSocket(this.#socket);
    if (raw === undefined) this.#socket.destroy();
    else give?.(raw);
  }

  // The parser's.

  head(head: RequestHead): void {
    if (head.method === 'CONNECT') {
      throw new PlatformError('method_not_allowed', 'METHOD_NOT_ALLOWED', 'this is not a proxy');
    }
    const { expect } = head.headers;
    if (expect !== undefined && !head.expectsContinue && head.minorVersion === 1) throw expectationFailed();
    this.#arriving = new HttpRequest(head, this);
    this.#handedOver = false;
    this.#bodySince = this.#server.tick;
  }

  body(piece: Buffer): void {
    this.#arriving?.push(piece);
  }

  end(): void {
    const request = this.#arriving;
    if (request === undefined) return;
    this.#arriving = undefined;
    this.#headSince = this.#server.tick;
    this.#last ||= !request.head.keepAlive;
    request.finish();
    if (!this.#handedOver) this.#handOver(request);
    // It was answered before its body was here, and may be what the connection was kept for.
    else if (this.#server.closing && request.settled) this.closeIfIdle();
    if (this.#mustWait()) this.#parser.pause();
  }

  // The requests'.

  changed(): void {
    this.#flush();
    if (this.#busy) return;
    this.#writeSoon();
    if (this.#held && !this.#mustWait()) this.#resume();
  }

  /** Writes what has been answered in this turn; the server calls it at its end. */
  writeOut(): void {
    this.#toWrite = false;
    this.#outbox.flush();
    if (this.#state === 'ending') {
      if (this.#socket.writableEnded) return;
      this.#socket.end();
      // What else comes is dropped until the caller has closed too, or for a little while.
      this.#socket.resume();
    } else if (this.#held && !this.#mustWait()) this.#resume();
    else if (this.#server.closing) this.closeIfIdle();
  }

  /** Ends what has taken too long; the server's clock calls it. */
  sweep(tick: number): void {
    const { ticks } = this.#server;
    const silent = tick - this.#since;
    if (this.#state !== 'open') {
      if (silent <= ticks.linger) return;
      if (this.#state === 'lingering') this.#end();
      else this.#socket.destroy();
    } else if (this.#arriving !== undefined) {
      if (this.#arriving.receiving) this.#sweepBody(this.#arriving, silent, tick);
    } else if (this.#open.length === 0 && !this.#last) {
      if (this.#served && this.#parser.between) {
        if (silent > ticks.keepAlive) this.#socket.destroy();
      } else if (tick - this.#headSince > ticks.headers) this.#refuse(requestTooSlow());
    }
  }

  #sweepBody(request: HttpRequest, silent: number, tick: number): void {
    const { ticks, limits } = this.#server;
    if (silent > ticks.bodyIdle) request.break(bodyTooSlow(limits.bodyIdleTimeoutMs, 'nothing came'));
    else if (tick - this.#bodySince > ticks.body)
      request.break(bodyTooSlow(limits.bodyTimeoutMs, 'it was not complete'));
  }

  #take(bytes: Buffer): void {
    if (this.#state === 'ending' || (this.#last && this.#arriving === undefined)) {
      this.#dropped += bytes.length;
      if (this.#dropped > lingerBytesMax) this.#socket.destroy();
      return;
    }
    if (this.#state === 'open') {
      const { tick } = this.#server;
      if (this.#parser.between) this.#headSince = tick;
      this.#since = tick;
    }
    this.#run(bytes);
    if (this.#held && this.#parser.heldBytes > heldBytesMax) this.#socket.pause();
  }

  /** Parses what is new, or goes on with what was kept; until nothing more may be taken. */
  #run(bytes: Buffer | undefined): void {
    this.#parse(bytes);
    // Answers that were ready at once may have made room again.
    while (this.#parser.paused && this.#state !== 'ending' && !this.#mustWait()) this.#parse(undefined);
    if (this.#mustWait()) this.#hold();
  }

  #parse(bytes: Buffer | undefined): void {
    this.#busy = true;
    try {
      if (bytes === undefined) this.#parser.resume();
      else this.#parser.feed(bytes);
    } catch (thrown) {
      this.#refuse(PlatformError.from(thrown));
    }
    // All that came is used up, and the request is not complete: whoever reads its body has to wait for it.
    const request = this.#arriving;
    if (request !== undefined && !this.#handedOver) this.#handOver(request);
    this.#busy = false;
    this.#writeSoon();
  }

  #handOver(request: HttpRequest): void {
    this.#handedOver = true;
    this.#served = true;
    this.#open.push(request);
    this.#server.handler.handle(request);
  }

  /** True when nothing more may be read for now. */
  #mustWait(): boolean {
    if (this.#state !== 'open') return false;
    if (this.#arriving !== undefined) return this.#handedOver && !this.#arriving.receiving;
    if (this.#last) return true;
    return this.#outbox.full || this.#open.length >= this.#server.limits.pipelineMax;
  }

  #hold(): void {
    if (this.#held || this.#last) return;
    this.#held = true;
    this.#parser.pause();
  }

  #resume(): void {
    this.#held = false;
    this.#since = this.#server.tick;
    if (this.#parser.between) this.#headSince = this.#server.tick;
    if (this.#socket.isPaused()) this.#socket.resume();
    if (this.#state !== 'ending') this.#run(undefined);
  }

  #refuse(error: PlatformError): void {
    const request = this.#arriving;
    this.#parser.pause();
    this.#last = true;
    if (request === undefined) {
      this.#refusal = this.#server.handler.refuse(error);
      this.#flush();
      if (!this.#busy) this.#writeSoon();
      return;
    }
    request.break(error);
    if (!this.#handedOver) this.#handOver(request);
  }

  /** Encodes the answers whose turn it is. */
  #flush(): void {
    for (let first = this.#open[0]; first !== undefined; first = this.#open[0]) {
      if (this.#state !== 'open') return;
      if (first.response === undefined) {
        if (first.takeContinue()) this.#outbox.put(continueLine);
        return;
      }
      this.#open.shift();
      this.#answer(first, first.response);
    }
    if (this.#refusal === undefined || this.#state !== 'open') return;
    this.#outbox.put(Buffer.from(this.#refusal));
    this.#refusal = undefined;
    this.#finishUp();
  }

  #answer(request: HttpRequest, response: HttpResponse): void {
    const { closing, keepAliveLines } = this.#server;
    const onlyOne = this.#open.length === 0 && (this.#arriving === undefined || this.#arriving === request);
    const keep = request.head.keepAlive && !(closing && onlyOne) && this.#readsToEnd(request);
    const encoded = encodeResponse(response, {
      connection: keep ? keepAliveLines : closeLine,
      withoutBody: request.head.method === 'HEAD',
      nowMs: Date.now(),
    });
    this.#outbox.answer(request, encoded);
    this.#since = this.#server.tick;
    if (!keep) this.#finishUp();
    else if (!request.complete) request.drop();
  }

  /** True when the request is here, or what is left of it is so little that it is read without being wanted. */
  #readsToEnd(request: HttpRequest): boolean {
    if (request.complete) return true;
    if (request !== this.#arriving || request.broken || request.waitsToContinue) return false;
    return this.#parser.bytesLeft <= unwantedBytesMax;
  }

  /** The last answer is under way: the connection ends behind it. */
  #finishUp(): void {
    this.#last = true;
    this.#since = this.#server.tick;
    const request = this.#arriving;
    if (request === undefined || request.waitsToContinue) {
      this.#end();
      return;
    }
    // Closing now would reset the connection under a caller that still sends, and the answer would be lost with it.
    this.#state = 'lingering';
    request.discard(() => this.#end(), lingerBytesMax);
  }

  #end(): void {
    if (this.#state === 'ending') return;
    this.#state = 'ending';
    this.#last = true;
    this.#arriving = undefined;
    this.#parser.pause();
    this.#since = this.#server.tick;
    if (!this.#busy) this.#writeSoon();
  }

  #writeSoon(): void {
    if (this.#toWrite || (this.#outbox.empty && this.#state !== 'ending')) return;
    this.#toWrite = true;
    this.#server.writeSoon(this);
  }

  #onClose(): void {
    this.#server.leave(this);
    this.#state = 'ending';
    this.#gone?.abort();
    this.#arriving?.break(callerGone());
    for (const request of this.#open) request.close(false);
    this.#outbox.abandon();
  }
}
