import { connect, type Socket } from 'node:net';
import { failure, good, noAnswer, type Lane, type OnOutcome, type Outcome } from './lane.ts';
import { goodStatus, grpcBase } from './jobs.ts';
import { FrameReader, frame, frameType, flag, type Frame } from './http2-frames.ts';
import { grpcStatusIn, plainHeaders } from './header-block.ts';

export interface GrpcTarget {
  host: string;
  port: number;
  path: string;
  metadata: Readonly<Record<string, string>>;
}

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const windowMax = 2 ** 31 - 1;
const initialWindow = 65_535;
const headerTableSize = 1;
const initialWindowSize = 4;

/** One request at a time on a connection that many lanes share. */
class GrpcLane implements Lane {
  dueAt = 0;
  sentAt = 0;
  busy = false;
  streamId = 0;
  readonly onOutcome: OnOutcome;
  readonly #connection: GrpcConnection;

  constructor(connection: GrpcConnection, onOutcome: OnOutcome) {
    this.#connection = connection;
    this.onOutcome = onOutcome;
  }

  send(): void {
    this.busy = true;
    this.#connection.send(this);
  }

  abandon(why: string): void {
    this.#connection.drop(this);
    this.finish(noAnswer(why));
  }

  close(): void {
    this.#connection.close();
  }

  finish(outcome: Outcome): void {
    if (!this.busy) return;
    this.busy = false;
    this.onOutcome(this, outcome);
  }
}

/**
 * A gRPC client for unary calls that all send the same bytes: grpc-js takes more CPU a call than the servers it would measure.
 * It turns the peer's header compression table off, so that a status is found without keeping one.
 */
export class GrpcConnection {
  readonly #target: GrpcTarget;
  readonly #headers: Buffer;
  readonly #message: Buffer;
  readonly #streams = new Map<number, GrpcLane>();
  #waiting: GrpcLane[] = [];
  #socket: Socket | undefined;
  #nextId = 1;
  #window = initialWindow;
  #received = 0;

  /** `message` is the protobuf; a stream's first window takes it whole or the call is refused here. */
  constructor(target: GrpcTarget, message: Buffer) {
    if (message.length > initialWindow - 5) throw new Error('gRPC requests above 64 KB are not for this generator');
    this.#target = target;
    this.#headers = plainHeaders({
      ':method': 'POST',
      ':scheme': 'http',
      ':path': target.path,
      ':authority': `${target.host}:${target.port}`,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...target.metadata,
    });
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(message.length, 1);
    this.#message = Buffer.concat([prefix, message]);
  }

  lane(onOutcome: OnOutcome): Lane {
    return new GrpcLane(this, onOutcome);
  }

  send(lane: GrpcLane): void {
    const socket = (this.#socket ??= this.#connect());
    if (this.#window < this.#message.length) {
      this.#waiting.push(lane);
      return;
    }
    this.#window -= this.#message.length;
    const id = this.#nextId;
    this.#nextId += 2;
    lane.streamId = id;
    this.#streams.set(id, lane);
    const bytes = Buffer.allocUnsafe(18 + this.#headers.length + this.#message.length);
    let at = frame(bytes, 0, frameType.headers, flag.endHeaders, id, this.#headers);
    at = frame(bytes, at, frameType.data, flag.endStream, id, this.#message);
    socket.write(bytes);
  }

  /** Its answer is no longer of interest. */
  drop(lane: GrpcLane): void {
    if (this.#streams.delete(lane.streamId))
      this.#write(frameType.rstStream, 0, lane.streamId, Buffer.from([0, 0, 0, 8]));
    this.#waiting = this.#waiting.filter((other) => other !== lane);
  }

  close(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }

  #write(type: number, flags: number, id: number, payload: Buffer): void {
    const bytes = Buffer.allocUnsafe(9 + payload.length);
    frame(bytes, 0, type, flags, id, payload);
    this.#socket?.write(bytes);
  }

  #connect(): Socket {
    this.#nextId = 1;
    this.#window = initialWindow;
    this.#received = 0;
    const { host, port } = this.#target;
    const socket = connect({ host, port, noDelay: true });
    const reader = new FrameReader((one) => this.#frame(one));
    socket.on('data', (bytes: Buffer) => {
      try {
        reader.push(bytes);
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    const lost = (why: string): void => {
      if (this.#socket === socket) this.#lost(why);
    };
    socket.on('error', (error) => lost(error.message));
    socket.on('close', () => lost('the server closed the connection'));
    this.#socket = socket;
    socket.write(preface);
    const settings = Buffer.alloc(12);
    settings.writeUInt16BE(headerTableSize, 0);
    settings.writeUInt16BE(initialWindowSize, 6);
    settings.writeUInt32BE(windowMax, 8);
    this.#write(frameType.settings, 0, 0, settings);
    this.#credit(windowMax - initialWindow);
    return socket;
  }

  #lost(why: string): void {
    this.close();
    const open = [...this.#streams.values(), ...this.#waiting];
    this.#streams.clear();
    this.#waiting = [];
    for (const lane of open) lane.finish(noAnswer(why));
  }

  #credit(bytes: number): void {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(bytes);
    this.#write(frameType.windowUpdate, 0, 0, payload);
  }

  #frame({ type, flags, id, payload }: Frame): void {
    if (type === frameType.data) this.#data(flags, id, payload.length);
    else if (type === frameType.headers) this.#trailers(flags, id, payload);
    else if (type === frameType.rstStream) this.#end(id, noAnswer(`stream reset with ${payload.readUInt32BE()}`));
    else if (type === frameType.settings && (flags & flag.ack) === 0)
      this.#write(frameType.settings, flag.ack, 0, Buffer.alloc(0));
    else if (type === frameType.ping && (flags & flag.ack) === 0)
      this.#write(frameType.ping, flag.ack, 0, Buffer.from(payload));
    else if (type === frameType.goAway) this.#socket?.destroy();
    else if (type === frameType.windowUpdate && id === 0) {
      this.#window += payload.readUInt32BE();
      for (const lane of this.#waiting.splice(0)) if (lane.busy) this.send(lane);
    }
  }

  #data(flags: number, id: number, length: number): void {
    this.#received += length;
    if (this.#received > 2 ** 24) {
      this.#credit(this.#received);
      this.#received = 0;
    }
    if ((flags & flag.endStream) !== 0) this.#end(id, noAnswer('an answer without a status'));
  }

  #trailers(flags: number, id: number, payload: Buffer): void {
    if ((flags & flag.endStream) === 0) return;
    const status = grpcStatusIn(payload);
    if (status === 0) this.#end(id, good);
    else if (status === undefined) this.#end(id, noAnswer('no grpc-status was found'));
    // Whether a refusal is explained stands in fields that this client cannot read; REST shows it.
    else this.#end(id, failure(grpcBase + status, true, true, `grpc ${status}`));
  }

  #end(id: number, outcome: Outcome): void {
    const lane = this.#streams.get(id);
    if (lane === undefined) return;
    this.#streams.delete(id);
    if (outcome.status !== goodStatus) lane.streamId = 0;
    lane.finish(outcome);
  }
}
