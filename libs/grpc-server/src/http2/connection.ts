import type { Socket } from 'node:net';
import { FrameReader } from './frame-reader.ts';
import { goawayFrame, pingFrame, settingsFrame, windowUpdateFrame } from './frames.ts';
import type { ConnectionLimits } from './limits.ts';
import { Outbox } from './outbox.ts';
import { ConnectionError, errorCode, initialWindow, maxStreamId, preface, setting, StreamError } from './protocol.ts';
import { Receiver } from './receiver.ts';
import { readRequestHead, type RequestHead } from './request-head.ts';
import { Sender } from './sender.ts';
import { StreamTable, type OpenCalls } from './stream-table.ts';
import { Stream } from './stream.ts';

export interface ConnectionOptions {
  limits: ConnectionLimits;
  /** Shared by all connections of a server. */
  calls: OpenCalls;
  /** A new request; sets the stream's sink or answers it. `tooLarge`: its header list is more than the limit. */
  onRequest(stream: Stream, head: RequestHead, tooLarge: boolean): void;
  onClosed(connection: Connection): void;
  /** Told why a connection was ended from here, when its peer was at fault. */
  onFault(connection: Connection, fault: ConnectionError): void;
}

/** Time for a peer to read our last words, and to answer the ping that drains. */
const lingerMs = 1_000;
const drainPing = Buffer.from('drain...');
const alivePing = Buffer.from('alive...');
/** Stands for a header list that is cut off, so that it can be answered at all. */
const unreadHead = [':method', 'POST', ':path', '/', ':scheme', 'http', 'content-type', 'application/grpc'];

/** One HTTP/2 connection of a server, from its preface to its end. */
export class Connection {
  readonly sender: Sender;
  /** `host:port`, or `unix:` for a unix socket. */
  readonly peer: string;
  /** Handlers that have not answered, also those whose callers are gone. */
  working = 0;
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #outbox: Outbox;
  readonly #reader: FrameReader;
  readonly #receiver: Receiver;
  readonly #table: StreamTable;
  readonly #openedAtMs = performance.now();
  #prefaceLeft: Buffer = preface;
  /** Calls above this are refused; set by the second GOAWAY. */
  #acceptedMax = maxStreamId;
  #drainingSinceMs = 0;
  #endedAtMs = 0;
  #lastHeardMs = this.#openedAtMs;
  #pingedAtMs = 0;
  #idleSinceMs = this.#openedAtMs;

  constructor(socket: Socket, options: ConnectionOptions) {
    const { limits } = options;
    this.#socket = socket;
    this.#options = options;
    this.peer = peerOf(socket);
    this.#outbox = new Outbox(socket);
    this.sender = new Sender(this.#outbox, (stream) => this.#table.answered(stream));
    this.#table = new StreamTable(this.#outbox, this.sender, limits, options.calls, () => this.#idle());
    this.#receiver = new Receiver(limits, this.#outbox, this.sender, this.#table, {
      onOpen: (streamId, fields, tooLarge, endStream) => this.#open(streamId, fields, tooLarge, endStream),
      onPingAck: (payload) => {
        if (this.#drainingSinceMs > 0 && payload.equals(drainPing)) this.#acceptNoMore();
      },
    });
    this.#reader = new FrameReader(this.#receiver);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('drain', () => this.sender.pump());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#closed());
    this.#greet(limits);
  }

  /** Tells the peer to send new calls elsewhere, finishes the open ones, then closes. */
  drain(): void {
    if (this.#drainingSinceMs > 0 || this.#endedAtMs > 0) return;
    this.#drainingSinceMs = performance.now();
    // What is under way is still taken: the second GOAWAY comes when the peer has surely read the first.
    this.#outbox.push(goawayFrame(maxStreamId, errorCode.noError, 'draining'));
    this.#outbox.push(pingFrame(drainPing, false));
  }

  /** Breaks every call and the connection. */
  destroy(): void {
    if (this.#endedAtMs > 0) {
      this.#socket.destroy();
      return;
    }
    this.#outbox.push(goawayFrame(this.#table.lastId, errorCode.cancel, 'stopped'));
    this.#endedAtMs = performance.now();
    for (const stream of this.#table.open.values()) this.#table.reset(stream, errorCode.cancel);
    this.#outbox.flush();
    this.#socket.destroySoon();
  }

  reset(stream: Stream, code: number): void {
    this.#table.reset(stream, code);
  }

  credit(stream: Stream, bytes: number): void {
    this.#receiver.credit(stream, bytes);
  }

  /** Watches every time limit; called about twice a second. */
  tick(nowMs: number): void {
    const { limits } = this.#options;
    if (this.#endedAtMs > 0) {
      if (nowMs - this.#endedAtMs > lingerMs) this.#socket.destroy();
      return;
    }
    const unsettledMs = this.#receiver.settled ? 0 : nowMs - this.#openedAtMs;
    if (unsettledMs > limits.handshakeMs || this.#receiver.blocks.overdue(nowMs)) {
      this.#fail(new ConnectionError(errorCode.settingsTimeout, 'the peer does not finish what it began to say'));
      return;
    }
    for (const stream of this.sender.waiting) {
      const stalledMs = stream.status === undefined ? 0 : nowMs - stream.progressAtMs;
      if (stalledMs > limits.stalledAnswerMs) this.reset(stream, errorCode.cancel);
    }
    this.#keepAlive(nowMs, limits);
    this.#growOld(nowMs, limits);
  }

  #keepAlive(nowMs: number, { keepaliveMs, keepaliveTimeoutMs }: ConnectionLimits): void {
    if (this.#pingedAtMs > this.#lastHeardMs) {
      if (nowMs - this.#pingedAtMs > keepaliveTimeoutMs) this.#socket.destroy();
    } else if (nowMs - this.#lastHeardMs > keepaliveMs) {
      this.#pingedAtMs = nowMs;
      this.#outbox.push(pingFrame(alivePing, false));
    }
  }

  #growOld(nowMs: number, limits: ConnectionLimits): void {
    const agedMs = limits.ageMaxMs > 0 ? nowMs - this.#openedAtMs - limits.ageMaxMs : -1;
    const idleMs = limits.idleMaxMs > 0 && this.#table.open.size === 0 ? nowMs - this.#idleSinceMs : 0;
    if (agedMs >= 0 || (limits.idleMaxMs > 0 && idleMs > limits.idleMaxMs)) this.drain();
    if (agedMs > limits.ageGraceMs) this.destroy();
    else if (this.#drainingSinceMs > 0 && nowMs - this.#drainingSinceMs > lingerMs) this.#acceptNoMore();
  }

  #greet(limits: ConnectionLimits): void {
    this.#outbox.push(
      settingsFrame([
        [setting.maxConcurrentStreams, limits.concurrentStreamsMax],
        [setting.initialWindowSize, limits.streamWindowBytes],
        [setting.maxHeaderListSize, limits.headerListMaxBytes],
      ]),
    );
    this.#outbox.push(windowUpdateFrame(0, limits.connectionWindowBytes - initialWindow));
  }

  #read(chunk: Buffer): void {
    if (this.#endedAtMs > 0) return;
    this.#lastHeardMs = performance.now();
    try {
      const frames = this.#prefaceLeft.length === 0 ? chunk : this.#readPreface(chunk);
      if (frames.length > 0) this.#reader.push(frames);
    } catch (thrown) {
      const unexpected = new ConnectionError(errorCode.internalError, `unexpected: ${String(thrown)}`);
      this.#fail(thrown instanceof ConnectionError ? thrown : unexpected);
    }
  }

  #readPreface(chunk: Buffer): Buffer {
    const wanted = this.#prefaceLeft.subarray(0, chunk.length);
    if (!chunk.subarray(0, wanted.length).equals(wanted)) {
      throw new ConnectionError(errorCode.protocolError, 'this is no HTTP/2 client');
    }
    this.#prefaceLeft = this.#prefaceLeft.subarray(wanted.length);
    return chunk.subarray(wanted.length);
  }

  #open(streamId: number, fields: readonly string[], tooLarge: boolean, endStream: boolean): void {
    this.#receiver.mustBeRead();
    const { limits } = this.#options;
    const most = limits.concurrentStreamsMax;
    if (streamId > this.#acceptedMax || this.#table.open.size >= most || this.working >= most) {
      this.#table.refuse(streamId, errorCode.refusedStream);
      return;
    }
    const head = this.#readHead(streamId, tooLarge ? unreadHead : fields, endStream);
    if (head === undefined) return;
    const window = limits.streamWindowBytes;
    const stream = new Stream(streamId, this, this.sender.streamWindow, window, head.contentLength);
    stream.remoteEnded = endStream;
    if (!this.#table.add(stream)) {
      this.#table.refuse(streamId, errorCode.refusedStream);
      return;
    }
    this.#options.onRequest(stream, head, tooLarge);
    if (endStream && !stream.broken && !stream.localEnded) stream.sink?.onEnd();
  }

  /** Undefined when it was malformed and has been refused. */
  #readHead(streamId: number, fields: readonly string[], endStream: boolean): RequestHead | undefined {
    try {
      const head = readRequestHead(fields);
      if (!endStream || head.contentLength <= 0) return head;
      throw new StreamError(errorCode.protocolError, 'less than content-length says');
    } catch (thrown) {
      if (!(thrown instanceof StreamError)) throw thrown;
      this.#table.refuse(streamId, thrown.code);
      this.#receiver.idleFrame();
      return undefined;
    }
  }

  #idle(): void {
    this.#idleSinceMs = this.#lastHeardMs;
    this.#closeIfDrained();
  }

  #acceptNoMore(): void {
    if (this.#acceptedMax !== maxStreamId) return;
    this.#acceptedMax = this.#table.lastId;
    this.#outbox.push(goawayFrame(this.#table.lastId, errorCode.noError, 'draining'));
    this.#closeIfDrained();
  }

  #closeIfDrained(): void {
    if (this.#acceptedMax === maxStreamId || this.#table.open.size > 0 || this.#endedAtMs > 0) return;
    this.#end();
  }

  #fail(error: ConnectionError): void {
    if (this.#endedAtMs > 0) return;
    this.#options.onFault(this, error);
    this.#outbox.push(goawayFrame(this.#table.lastId, error.code, error.message.slice(0, 200)));
    this.#end();
    this.#table.breakAll(error.code);
  }

  /** Says no more and hears no more: what still comes is thrown away, so that our last words are not lost to a reset. */
  #end(): void {
    this.#endedAtMs = performance.now();
    this.#outbox.flush();
    this.#socket.end();
  }

  #closed(): void {
    this.#endedAtMs ||= performance.now();
    this.#table.breakAll(errorCode.cancel);
    this.#options.onClosed(this);
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  if (remoteAddress === undefined) return 'unix:';
  return remoteAddress.includes(':') ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
}
