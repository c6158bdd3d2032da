import { describe, expect, it } from 'vitest';
import { frameDecoder, frameKind, headBytes, writeHead, type Frame } from './frames.ts';

/** As a worker writes it. */
function frame({ meta, body, ...numbers }: Frame): Buffer {
  const head = Buffer.alloc(headBytes);
  writeHead(head, 0, numbers.kind, 0, numbers.id, meta.length, body.length);
  head.writeUInt16LE(numbers.status, 2);
  const { preprocessUs, computeUs, postprocessUs, residentKib } = numbers;
  for (const [at, value] of [preprocessUs, computeUs, postprocessUs, residentKib].entries())
    head.writeUInt32LE(value, 16 + 4 * at);
  return Buffer.concat([head, meta, body]);
}

function decode(pieces: Buffer[], bodyBytesMax = 1_000_000): Frame[] {
  const frames: Frame[] = [];
  const push = frameDecoder(bodyBytesMax, (one) => frames.push(one));
  for (const piece of pieces) push(piece);
  return frames;
}

const head = (kind: number, metaBytes: number, bodyBytes: number): Buffer => {
  const bytes = Buffer.alloc(headBytes);
  writeHead(bytes, 0, kind, 0, 1, metaBytes, bodyBytes);
  return bytes;
};

const none = Buffer.alloc(0);
const numbers = { status: 200, preprocessUs: 1, computeUs: 2 ** 31, postprocessUs: 3, residentKib: 4 };
const sent: Frame[] = [
  { ...numbers, kind: frameKind.reply, id: 1, meta: Buffer.from('{"text":"snow ☃"}'), body: Buffer.from('one') },
  { ...numbers, kind: frameKind.dropped, id: 2 ** 32 - 1, meta: none, body: none },
  { ...numbers, kind: frameKind.reply, id: 2, meta: none, body: Buffer.alloc(70_000, 7) },
];
const bytes = Buffer.concat(sent.map(frame));

describe('frames', () => {
  it.each([1, 2, 3, 7, 8, 9, 64, 1_000, 65_536, 1_000_000])('come back whole from pieces of %i bytes', (size) => {
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
    expect(decode(pieces)).toEqual(sent);
  });

  it('are handed on only when they are whole', () => {
    expect(decode([bytes.subarray(0, -1)])).toEqual(sent.slice(0, 2));
    expect(decode([])).toEqual([]);
  });

  it.each([
    { what: 'a body above its maximum', piece: head(frameKind.reply, 0, 1_000_001) },
    { what: 'a meta part above its maximum', piece: head(frameKind.reply, 2 ** 32 - 1, 0) },
    { what: 'a kind that there is not', piece: head(9, 0, 0) },
    { what: 'text', piece: Buffer.from('Traceback (most recent call last)') },
  ])('are refused before anything is held for them: $what', ({ piece }) => {
    expect(() => decode([piece])).toThrow('not a frame');
  });
});
