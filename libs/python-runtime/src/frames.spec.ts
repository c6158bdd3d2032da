import { describe, expect, it } from 'vitest';
import { encodeHead, frameDecoder, type Frame } from './frames.ts';

const frame = (meta: object, body: Buffer): Buffer => Buffer.concat([encodeHead(meta, body.length), body]);

function decode(pieces: Buffer[], bodyBytesMax = 1_000_000): Frame[] {
  const frames: Frame[] = [];
  const push = frameDecoder(bodyBytesMax, (one) => frames.push(one));
  for (const piece of pieces) push(piece);
  return frames;
}

const sent = [
  { meta: { type: 'reply', id: 1, text: 'snow ☃' }, body: Buffer.from('one') },
  { meta: {}, body: Buffer.alloc(0) },
  { meta: { id: 2 }, body: Buffer.alloc(70_000, 7) },
];
const bytes = Buffer.concat(sent.map(({ meta, body }) => frame(meta, body)));

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
    { what: 'a body above its maximum', piece: encodeHead({}, 1_000_001) },
    { what: 'a meta part above its maximum', piece: Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]) },
    { what: 'text', piece: Buffer.from('Traceback (most recent call last)') },
  ])('are refused before anything is held for them: $what', ({ piece }) => {
    expect(() => decode([piece])).toThrow('not a frame');
  });

  it('are refused when their meta part is no JSON', () => {
    expect(() => decode([Buffer.from([2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7b])])).toThrow(SyntaxError);
  });
});
