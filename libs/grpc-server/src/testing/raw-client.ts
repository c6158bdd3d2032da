import { createConnection, type Socket } from 'node:net';
import { HeaderDecoder } from '../hpack/header-decoder.ts';
import { literalField } from '../hpack/header-literals.ts';
import { headersFrames, settingsAck, settingsFrame, writeFrameHeader } from '../http2/frames.ts';
import { flag, frameHeaderBytes, frameType, preface } from '../http2/protocol.ts';

export interface RawFrame {
  type: number;
  flags: number;
  streamId: number;
  payload: Buffer;
}

export interface RawAnswer {
  head: Record<string, string>;
  trailers: Record<string, string>;
  body: Buffer;
  /** The code of its RST_STREAM; undefined when it ended properly. */
  reset: number | undefined;
}

/** A client that says whatever it is told, right or wrong. */
export interface RawClient {
  readonly frames: RawFrame[];
  readonly socket: Socket;
  send(...parts: Buffer[]): void;
  /** Sends a request head and, unless undefined, the body that ends it. */
  call(streamId: number, path: string, body?: Buffer, more?: readonly (readonly [string, string])[]): void;
  /** The first frame for which `wanted` holds, however late it comes; undefined when the connection ends before. */
  frame(wanted: (frame: RawFrame) => boolean): Promise<RawFrame | undefined>;
  answer(streamId: number): Promise<RawAnswer>;
  closed: Promise<void>;
  close(): Promise<void>;
}

export function rawFrame(type: number, flags: number, streamId: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const out = Buffer.alloc(frameHeaderBytes + payload.length);
  writeFrameHeader(out, 0, payload.length, type, flags, streamId);
  payload.copy(out, frameHeaderBytes);
  return out;
}

export function rawData(streamId: number, body: Buffer, end: boolean): Buffer {
  return rawFrame(frameType.data, end ? flag.endStream : 0, streamId, body);
}

/** A gRPC message with its prefix. */
export function rawMessage(body: Buffer | string, flags = 0): Buffer {
  const bytes = Buffer.from(body);
  const prefix = Buffer.alloc(5);
  prefix[0] = flags;
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

export function requestFields(path: string): [string, string][] {
  return [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'test'],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
  ];
}

export function block(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(fields.map(([name, value]) => literalField(name, value)));
}

/** `settings`: what it announces; `silent` = it says nothing by itself, not even the preface. */
export async function rawClient(
  address: string,
  settings: readonly (readonly [number, number])[] | 'silent' = [],
): Promise<RawClient> {
  const [host, port] = address.split(':');
  const socket = createConnection({ host: host ?? '', port: Number(port) });
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  const frames: RawFrame[] = [];
  let rest = Buffer.alloc(0);
  let wake: (() => void)[] = [];
  let ended = false;
  const wakeAll = (): void => {
    const sleepers = wake;
    wake = [];
    for (const one of sleepers) one();
  };
  socket.on('error', () => socket.destroy());
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      ended = true;
      wakeAll();
      resolve();
    });
  });
  const send = (...parts: Buffer[]): void => {
    if (socket.writable) socket.write(Buffer.concat(parts));
  };
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= frameHeaderBytes && rest.length >= frameHeaderBytes + rest.readUIntBE(0, 3)) {
      const length = rest.readUIntBE(0, 3);
      const payload = Buffer.from(rest.subarray(frameHeaderBytes, frameHeaderBytes + length));
      const frame = { type: rest[3] ?? 0, flags: rest[4] ?? 0, streamId: rest.readUInt32BE(5), payload };
      rest = rest.subarray(frameHeaderBytes + length);
      frames.push(frame);
      if (settings !== 'silent' && frame.type === frameType.settings && frame.flags === 0) send(settingsAck);
    }
    wakeAll();
  });
  const frame = async (wanted: (frame: RawFrame) => boolean): Promise<RawFrame | undefined> => {
    for (;;) {
      const found = frames.find(wanted);
      if (found !== undefined || ended) return found;
      await new Promise<void>((resolve) => wake.push(resolve));
    }
  };
  if (settings !== 'silent') send(preface, settingsFrame(settings));
  return {
    frames,
    socket,
    send,
    call: (streamId, path, body, more = []) => {
      const head = headersFrames(streamId, block([...requestFields(path), ...more]), false);
      send(head, body === undefined ? Buffer.alloc(0) : rawData(streamId, body, true));
    },
    frame,
    answer: async (streamId) => {
      await frame((f) => f.streamId === streamId && endsStream(f));
      return readAnswer(frames, streamId);
    },
    closed,
    close: async () => {
      socket.destroy();
      await closed;
    },
  };
}

function endsStream({ type, flags }: RawFrame): boolean {
  if (type === frameType.rstStream) return true;
  return (type === frameType.data || type === frameType.headers) && (flags & flag.endStream) !== 0;
}

/** Decodes from the connection's start: header blocks only make sense in their order. */
function readAnswer(frames: readonly RawFrame[], streamId: number): RawAnswer {
  const decoder = new HeaderDecoder();
  const answer: RawAnswer = { head: {}, trailers: {}, body: Buffer.alloc(0), reset: undefined };
  let ended = false;
  for (const frame of frames) {
    if (frame.type === frameType.headers) {
      const { fields } = decoder.decode(frame.payload, 1_000_000);
      if (frame.streamId !== streamId) continue;
      ended = endsStream(frame);
      const into = ended ? answer.trailers : answer.head;
      for (let at = 0; at < fields.length; at += 2) into[fields[at] ?? ''] = fields[at + 1] ?? '';
    } else if (frame.streamId === streamId && frame.type === frameType.data) {
      answer.body = Buffer.concat([answer.body, frame.payload]);
    } else if (frame.streamId === streamId && frame.type === frameType.rstStream && !ended) {
      answer.reset = frame.payload.readUInt32BE(0);
    }
  }
  return answer;
}
