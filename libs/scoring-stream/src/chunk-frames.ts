import type { Chunk } from '@mooring/contracts/scoring';
import type { WireReader } from './wire-reader.ts';
import { paddedLengthBytes, writeBytes, writeNumber, writePaddedLength, writeVarint } from './wire-writer.ts';

const chunkOverheadBytes = 32;
const noBody = Buffer.alloc(0);

export function chunkBound(chunk: Chunk | undefined): number {
  return chunk === undefined ? 0 : chunkOverheadBytes + chunk.body.length;
}

export function writeChunk(to: Buffer, from: number, field: number, { id, body, totalBytes }: Chunk): number {
  const at = writeVarint(to, from, (field << 3) | 2);
  const start = at + paddedLengthBytes;
  const end = writeNumber(to, writeBytes(to, writeNumber(to, start, 1, id), 2, body), 3, totalBytes);
  writePaddedLength(to, at, end - start);
  return end;
}

export function readChunk(reader: WireReader): Chunk {
  const outer = reader.enter();
  const chunk: Chunk = { id: 0, body: noBody, totalBytes: 0 };
  while (reader.more()) {
    const tag = reader.varint();
    if (tag === 1 << 3) chunk.id = reader.varint();
    else if (tag === ((2 << 3) | 2)) chunk.body = reader.bytes();
    else if (tag === 3 << 3) chunk.totalBytes = reader.varint();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return chunk;
}
