import { expect, it } from 'vitest';
import { FrameWriter } from './frame-writer.ts';
import { frameDecoder, frameKind, postFlag, type Frame } from './frames.ts';
import { scoreCall } from './testing.ts';

function written(writer: FrameWriter): { buffers: number; frames: Frame[] } {
  const buffers = writer.take();
  const frames: Frame[] = [];
  const push = frameDecoder(2 ** 30, (frame) => frames.push(frame));
  for (const buffer of buffers) push(buffer);
  return { buffers: buffers.length, frames };
}

it('frames of one turn leave in their order, small ones as one buffer, large bodies as they are', () => {
  const writer = new FrameWriter();
  expect(writer.empty).toBe(true);
  for (let id = 1; id <= 4; id += 1) writer.call(id, scoreCall(`${id}`));
  writer.cancel(2);
  const small = written(writer);
  expect(small.buffers).toBe(1);
  expect(small.frames.map(({ kind, id }) => [kind, id])).toEqual([
    ...[1, 2, 3, 4].map((id) => [frameKind.call, id]),
    [frameKind.cancel, 2],
  ]);
  expect(writer.empty).toBe(true);
  const large = Buffer.alloc(1_000_000, 7);
  writer.call(5, scoreCall(large));
  writer.call(6, scoreCall('{}'));
  const mixed = written(writer);
  expect(mixed.buffers).toBe(3);
  expect(mixed.frames.map(({ body }) => body.length)).toEqual([1_000_000, 2]);
});

it('what was taken stays as it was while more is written', () => {
  const writer = new FrameWriter();
  writer.call(1, scoreCall('first'));
  const taken = writer.take();
  const before = Buffer.concat(taken);
  for (let id = 2; id < 3_000; id += 1) writer.call(id, scoreCall('a later one'));
  expect(Buffer.concat(taken).equals(before)).toBe(true);
  expect(written(writer).frames.length).toBe(2_998);
});

it('a POST of JSON says no more than its body; everything else says what it is', () => {
  const writer = new FrameWriter();
  const meta = (changes: Parameters<typeof scoreCall>[1]): { flags: number; text: string } => {
    writer.call(1, scoreCall('{}', changes));
    const bytes = Buffer.concat(writer.take());
    return { flags: bytes[1] ?? 0, text: bytes.toString('utf8', 32, 32 + bytes.readUInt32LE(8)) };
  };
  expect(meta({})).toEqual({ flags: postFlag, text: '' });
  expect(meta({ method: '' })).toEqual({ flags: postFlag, text: '' });
  const parsed = { method: 'POST', query: 'a=1', contentType: 'application/json', headers: [['x', 'y']] };
  const asked = meta({ query: 'a=1', headers: [{ name: 'x', value: 'y' }] });
  expect(asked.flags).toBe(postFlag);
  expect(JSON.parse(asked.text)).toEqual(parsed);
  expect(meta({ method: 'GET' }).flags).toBe(0);
  expect(JSON.parse(meta({ method: 'GET' }).text)).toMatchObject({ method: 'GET' });
});
