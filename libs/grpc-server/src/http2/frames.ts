import { flag, frameHeaderBytes, frameType, maxFrameBytes } from './protocol.ts';

/** Writes a frame's header at `at`; gives where its payload starts. */
export function writeFrameHeader(
  out: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): number {
  out[at] = length >>> 16;
  out[at + 1] = (length >>> 8) & 0xff;
  out[at + 2] = length & 0xff;
  out[at + 3] = type;
  out[at + 4] = flags;
  out[at + 5] = streamId >>> 24;
  out[at + 6] = (streamId >>> 16) & 0xff;
  out[at + 7] = (streamId >>> 8) & 0xff;
  out[at + 8] = streamId & 0xff;
  return at + frameHeaderBytes;
}

function frame(payloadBytes: number, type: number, flags: number, streamId: number): Buffer {
  const out = Buffer.allocUnsafe(frameHeaderBytes + payloadBytes);
  writeFrameHeader(out, 0, payloadBytes, type, flags, streamId);
  return out;
}

/** HEADERS, and CONTINUATION where the block is longer than a frame. */
export function headersFrames(streamId: number, block: Buffer, endStream: boolean): Buffer {
  const end = endStream ? flag.endStream : 0;
  const more = Math.max(0, Math.ceil(block.length / maxFrameBytes) - 1);
  const out = Buffer.allocUnsafe(block.length + frameHeaderBytes * (1 + more));
  let at = 0;
  for (let from = 0; from === 0 || from < block.length; from += maxFrameBytes) {
    const size = Math.min(maxFrameBytes, block.length - from);
    const last = from + size >= block.length ? flag.endHeaders : 0;
    const type = from === 0 ? frameType.headers : frameType.continuation;
    at = writeFrameHeader(out, at, size, type, (from === 0 ? end : 0) | last, streamId);
    at += block.copy(out, at, from, from + size);
  }
  return out;
}

export function dataHeader(streamId: number, length: number): Buffer {
  const out = Buffer.allocUnsafe(frameHeaderBytes);
  writeFrameHeader(out, 0, length, frameType.data, 0, streamId);
  return out;
}

export function settingsFrame(settings: readonly (readonly [number, number])[]): Buffer {
  const out = frame(settings.length * 6, frameType.settings, 0, 0);
  let at = frameHeaderBytes;
  for (const [id, value] of settings) {
    at = out.writeUInt16BE(id, at);
    at = out.writeUInt32BE(value, at);
  }
  return out;
}

export const settingsAck = frame(0, frameType.settings, flag.ack, 0);

export function pingFrame(payload: Buffer, ack: boolean): Buffer {
  const out = frame(8, frameType.ping, ack ? flag.ack : 0, 0);
  payload.copy(out, frameHeaderBytes, 0, 8);
  return out;
}

export function resetFrame(streamId: number, code: number): Buffer {
  const out = frame(4, frameType.rstStream, 0, streamId);
  out.writeUInt32BE(code, frameHeaderBytes);
  return out;
}

export function windowUpdateFrame(streamId: number, increment: number): Buffer {
  const out = frame(4, frameType.windowUpdate, 0, streamId);
  out.writeUInt32BE(increment, frameHeaderBytes);
  return out;
}

export function goawayFrame(lastStreamId: number, code: number, text: string): Buffer {
  const debug = Buffer.from(text);
  const out = frame(8 + debug.length, frameType.goaway, 0, 0);
  out.writeUInt32BE(lastStreamId, frameHeaderBytes);
  out.writeUInt32BE(code, frameHeaderBytes + 4);
  debug.copy(out, frameHeaderBytes + 8);
  return out;
}
