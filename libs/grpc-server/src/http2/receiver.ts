import { HeaderDecoder } from '../hpack/header-decoder.ts';
import type { FrameConsumer } from './frame-reader.ts';
import { pingFrame, settingsAck, windowUpdateFrame } from './frames.ts';
import { HeaderBlocks, type HeaderBlock } from './header-blocks.ts';
import { TokenBucket, type ConnectionLimits } from './limits.ts';
import type { Outbox } from './outbox.ts';
import { PingPolicy } from './ping-policy.ts';
import { ConnectionError, errorCode, flag, frameType, StreamError } from './protocol.ts';
import { readSettings } from './read-settings.ts';
import { checkTrailers } from './request-head.ts';
import type { Sender } from './sender.ts';
import type { StreamTable } from './stream-table.ts';
import type { Stream } from './stream.ts';

/** Frames that ask for work but carry none: pings, settings, priorities, empty data. */
const idleFrameBurst = 10_000;
const idleFramesPerSecond = 1_000;
/** Answers that a peer leaves unread, and still asks for more, before it is taken for hostile. */
const unreadMaxBytes = 4 * 1024 * 1024;

export interface ReceiverHooks {
  /** A header list that opens `streamId`, the newest. */
  onOpen(streamId: number, fields: readonly string[], tooLarge: boolean, endStream: boolean): void;
  onPingAck(payload: Buffer): void;
}

/** The receiving half of a connection: checks every frame against RFC 9113 and acts on it. */
export class Receiver implements FrameConsumer {
  readonly blocks: HeaderBlocks;
  /** The peer's first SETTINGS came; nothing may come before. */
  settled = false;
  readonly #limits: ConnectionLimits;
  readonly #outbox: Outbox;
  readonly #sender: Sender;
  readonly #table: StreamTable;
  readonly #hooks: ReceiverHooks;
  readonly #decoder = new HeaderDecoder();
  readonly #pings: PingPolicy;
  readonly #idleFrames = new TokenBucket(idleFrameBurst, idleFramesPerSecond);
  #window: number;
  #toCredit = 0;

  constructor(limits: ConnectionLimits, outbox: Outbox, sender: Sender, table: StreamTable, hooks: ReceiverHooks) {
    this.#limits = limits;
    this.#outbox = outbox;
    this.#sender = sender;
    this.#table = table;
    this.#hooks = hooks;
    this.blocks = new HeaderBlocks(limits.headerListMaxBytes, limits.handshakeMs);
    this.#pings = new PingPolicy(limits.pingMinIntervalMs);
    this.#window = limits.connectionWindowBytes;
  }

  /** Lets the caller send `bytes` more on a stream; said when half its window is used up. */
  credit(stream: Stream, bytes: number): void {
    stream.toCredit += bytes;
    if (stream.toCredit * 2 < this.#limits.streamWindowBytes || stream.remoteEnded || stream.broken) return;
    this.#outbox.push(windowUpdateFrame(stream.id, stream.toCredit));
    stream.receiveWindow += stream.toCredit;
    stream.toCredit = 0;
  }

  /** A frame that carries no work: some are normal, a flood is not. */
  idleFrame(): void {
    this.mustBeRead();
    if (!this.#idleFrames.take()) {
      throw new ConnectionError(errorCode.enhanceYourCalm, 'too many frames that carry nothing');
    }
  }

  /** Messages wait for the peer to read; what is not counted as such must not pile up either. */
  mustBeRead(): void {
    if (this.#outbox.waitingBytes <= unreadMaxBytes) return;
    throw new ConnectionError(errorCode.enhanceYourCalm, 'answers are asked for and not read');
  }

  onData(streamId: number, chunk: Buffer, windowBytes: number, last: boolean): void {
    if (!this.settled) throw fault('the first frame is not SETTINGS');
    this.blocks.mustBeWhole();
    if (windowBytes === 0 && !last) this.idleFrame();
    this.#countData(windowBytes);
    const stream = this.#table.open.get(streamId);
    if (stream !== undefined) this.#guard(stream, () => this.#takeData(stream, chunk, windowBytes, last));
    else if (streamId === 0 || streamId > this.#table.lastId) throw fault('DATA for a stream that was never opened');
    else if (!this.#table.wasReset(streamId)) {
      this.#table.refuse(streamId, errorCode.streamClosed);
      this.idleFrame();
    }
  }

  onFrame(type: number, flags: number, streamId: number, payload: Buffer): void {
    if (!this.settled && type !== frameType.settings) throw fault('the first frame is not SETTINGS');
    if (type !== frameType.continuation) this.blocks.mustBeWhole();
    switch (type) {
      case frameType.headers:
        return this.#headers(streamId, this.blocks.open(streamId, flags, payload));
      case frameType.continuation:
        return this.#headers(streamId, this.blocks.continue(streamId, flags, payload));
      case frameType.data:
        return this.onData(streamId, unpadded(payload), payload.length, (flags & flag.endStream) !== 0);
      case frameType.windowUpdate:
        return this.#windowUpdate(streamId, payload);
      case frameType.rstStream:
        return this.#resetByPeer(streamId, payload);
      case frameType.settings:
        return this.#settings(flags, streamId, payload);
      case frameType.ping:
        return this.#ping(flags, streamId, payload);
      case frameType.priority:
        return this.#priority(streamId, payload);
      case frameType.goaway:
        if (streamId !== 0) throw fault('GOAWAY for a stream');
        if (payload.length < 8) throw wrongSize('GOAWAY');
        return undefined;
      case frameType.pushPromise:
        throw fault('a client cannot push');
      default:
        // RFC 9113, 4.1: unknown types are ignored.
        return this.idleFrame();
    }
  }

  #countData(windowBytes: number): void {
    this.#window -= windowBytes;
    if (this.#window < 0) throw new ConnectionError(errorCode.flowControlError, 'more than the window allows');
    // Given back at once: streams that are not read must not hold up the others. What they may hold is bounded elsewhere.
    this.#toCredit += windowBytes;
    if (this.#toCredit * 2 < this.#limits.connectionWindowBytes) return;
    this.#outbox.push(windowUpdateFrame(0, this.#toCredit));
    this.#window += this.#toCredit;
    this.#toCredit = 0;
  }

  #takeData(stream: Stream, chunk: Buffer, windowBytes: number, last: boolean): void {
    if (stream.remoteEnded) throw new StreamError(errorCode.streamClosed, 'data after the end');
    stream.receiveWindow -= windowBytes;
    if (stream.receiveWindow < 0) throw new StreamError(errorCode.flowControlError, 'more than the window allows');
    // Padding is consumed as it comes.
    if (windowBytes > chunk.length) this.credit(stream, windowBytes - chunk.length);
    if (stream.contentLeft >= 0) {
      stream.contentLeft -= chunk.length;
      if (stream.contentLeft < 0) throw new StreamError(errorCode.protocolError, 'more than content-length says');
    }
    // The last part says that it is the last one before it is read: an answer to it needs no reset.
    if (last) this.#remoteEnd(stream);
    if (chunk.length > 0) stream.sink?.onData(chunk);
    if (last && !stream.broken && !stream.localEnded) stream.sink?.onEnd();
  }

  #remoteEnd(stream: Stream): void {
    if (stream.contentLeft > 0) throw new StreamError(errorCode.protocolError, 'less than content-length says');
    stream.remoteEnded = true;
  }

  #headers(streamId: number, block: HeaderBlock | undefined): void {
    if (block === undefined) return;
    const { fields, tooLarge } = this.#decoder.decode(block.bytes, this.#limits.headerListMaxBytes);
    const table = this.#table;
    const stream = table.open.get(streamId);
    if (stream !== undefined) this.#guard(stream, () => this.#trailers(stream, fields, block.endStream));
    else if ((streamId & 1) === 0) throw fault('a client opens odd streams');
    else if (streamId > table.lastId) {
      table.lastId = streamId;
      this.#hooks.onOpen(streamId, fields, tooLarge, block.endStream);
    } else if (table.wasEnded(streamId)) {
      throw new ConnectionError(errorCode.streamClosed, 'HEADERS for a stream that has ended');
    } else if (!table.wasReset(streamId)) throw fault('a stream is opened out of order');
  }

  #trailers(stream: Stream, fields: readonly string[], endStream: boolean): void {
    if (stream.remoteEnded) throw new StreamError(errorCode.streamClosed, 'headers after the end');
    if (!endStream) throw new StreamError(errorCode.protocolError, 'trailers that do not end the stream');
    checkTrailers(fields);
    this.#remoteEnd(stream);
    stream.sink?.onEnd();
  }

  #windowUpdate(streamId: number, payload: Buffer): void {
    if (payload.length !== 4) throw wrongSize('WINDOW_UPDATE');
    const increment = payload.readUInt32BE(0) & 0x7fffffff;
    const stream = this.#table.open.get(streamId);
    if (streamId === 0) {
      if (increment === 0) throw fault('WINDOW_UPDATE by 0');
      this.#sender.extend(undefined, increment);
    } else if (stream !== undefined) {
      this.#guard(stream, () => {
        if (increment === 0) throw new StreamError(errorCode.protocolError, 'WINDOW_UPDATE by 0');
        this.#sender.extend(stream, increment);
      });
    } else if (streamId > this.#table.lastId) throw fault('WINDOW_UPDATE for a stream that was never opened');
  }

  #resetByPeer(streamId: number, payload: Buffer): void {
    if (payload.length !== 4) throw wrongSize('RST_STREAM');
    if (streamId === 0 || streamId > this.#table.lastId) throw fault('RST_STREAM for a stream that was never opened');
    const stream = this.#table.open.get(streamId);
    if (stream === undefined) this.idleFrame();
    else if (!this.#table.cancelled(stream, payload.readUInt32BE(0))) {
      throw new ConnectionError(errorCode.enhanceYourCalm, 'too many calls are opened only to be cancelled');
    }
  }

  #settings(flags: number, streamId: number, payload: Buffer): void {
    if (streamId !== 0) throw fault('SETTINGS for a stream');
    if ((flags & flag.ack) !== 0) {
      if (payload.length > 0) throw wrongSize('an acknowledgement of SETTINGS');
      if (!this.settled) throw fault('the first frame is not SETTINGS');
      return;
    }
    if (this.settled) this.idleFrame();
    const { headerTableBytes, windowBytes } = readSettings(payload);
    this.settled = true;
    if (headerTableBytes !== undefined) this.#sender.encoder.limitTable(headerTableBytes);
    this.#outbox.push(settingsAck);
    if (windowBytes !== undefined) this.#sender.setStreamWindow(windowBytes, this.#table.open.values());
  }

  #ping(flags: number, streamId: number, payload: Buffer): void {
    if (streamId !== 0) throw fault('PING for a stream');
    if (payload.length !== 8) throw wrongSize('PING');
    if ((flags & flag.ack) !== 0) {
      this.#hooks.onPingAck(payload);
      return;
    }
    this.idleFrame();
    const active = this.#sender.active;
    this.#sender.active = false;
    if (!this.#pings.allows(performance.now(), active)) {
      throw new ConnectionError(errorCode.enhanceYourCalm, 'too_many_pings');
    }
    this.#outbox.push(pingFrame(payload, true));
  }

  #priority(streamId: number, payload: Buffer): void {
    if (streamId === 0) throw fault('PRIORITY for the connection');
    this.idleFrame();
    const whole = payload.length === 5;
    if (whole && (payload.readUInt32BE(0) & 0x7fffffff) !== streamId) return;
    const stream = this.#table.open.get(streamId);
    const code = whole ? errorCode.protocolError : errorCode.frameSizeError;
    if (stream === undefined) throw new ConnectionError(code, 'PRIORITY that is cut off, or depends on itself');
    this.#table.reset(stream, code);
  }

  /** Runs what may fail for one stream only. */
  #guard(stream: Stream, body: () => void): void {
    try {
      body();
    } catch (thrown) {
      if (!(thrown instanceof StreamError)) throw thrown;
      this.#table.reset(stream, thrown.code);
    }
  }
}

function fault(message: string): ConnectionError {
  return new ConnectionError(errorCode.protocolError, message);
}

function wrongSize(what: string): ConnectionError {
  return new ConnectionError(errorCode.frameSizeError, `${what} of a wrong size`);
}

function unpadded(payload: Buffer): Buffer {
  const padding = payload[0] ?? 0;
  if (payload.length === 0 || padding >= payload.length) throw fault('DATA is all padding');
  return payload.subarray(1, payload.length - padding);
}
