import { expect, it } from 'vitest';
import { chunkBytes, IncomingBodies, largeBodyBytes, OutgoingBodies } from './chunked-bodies.ts';
import { bodyBytesMax } from './method.ts';
import { OpenCalls } from './open-calls.ts';
import type { ScoreReply } from './port.ts';
import { reply } from './port.ts';
import { call } from './testing.ts';

const never = new AbortController().signal;
const wasted = { queued: 0, running: 0 };

function openCalls(): OpenCalls {
  return new OpenCalls(
    () => undefined,
    ({ queued, running }) => {
      wasted.queued += queued;
      wasted.running += running;
    },
  );
}

function numbered(bytes: number): Buffer {
  const body = Buffer.alloc(bytes);
  for (let at = 0; at + 4 <= bytes; at += 4_096) body.writeUInt32LE(at, at);
  return body;
}

it('puts large bodies together again that were sent a piece of each in turn', () => {
  const [out, back] = [new OutgoingBodies<string>(), new IncomingBodies()];
  const sent = new Map([1, 2, 3].map((id) => [id, numbered(largeBodyBytes * id + id)]));
  for (const [id, body] of sent) out.add(id, body, `call ${id}`);
  const order: number[] = [];
  for (let piece = out.take(); piece !== undefined; piece = out.take()) {
    if (piece.chunk === undefined) {
      expect(piece.of).toBe(`call ${piece.id}`);
      expect(back.join(piece.id, piece.rest).equals(sent.get(piece.id) as Buffer)).toBe(true);
    } else {
      expect(piece.chunk.body.length).toBe(chunkBytes);
      order.push(piece.chunk.id);
      back.add(piece.chunk);
    }
  }
  expect(order.slice(0, 6)).toEqual([1, 2, 3, 1, 2, 3]);
  expect([out.size, back.size]).toEqual([0, 0]);
});

it('takes no more than a body said it would be, and no less', () => {
  const back = new IncomingBodies();
  expect(() => back.add({ id: 1, body: Buffer.alloc(1), totalBytes: bodyBytesMax + 1 })).toThrow(RangeError);
  back.add({ id: 2, body: Buffer.alloc(6), totalBytes: 10 });
  expect(() => back.add({ id: 2, body: Buffer.alloc(5), totalBytes: 0 })).toThrow(RangeError);
  back.add({ id: 3, body: Buffer.alloc(6), totalBytes: 10 });
  expect(() => back.join(3, Buffer.alloc(3))).toThrow(RangeError);
});

it('sends every small call between two chunks of a large one, whose own frame comes last', () => {
  const calls = openCalls();
  const large = numbered(20 * chunkBytes);
  void calls.add(call({ body: large, endpoint: 'large' }), never);
  const chunks: Buffer[] = [];
  for (let n = 0; n < 19; n += 1) {
    void calls.add(call({ endpoint: `small ${n}` }), never);
    const { calls: taken, chunk } = calls.take(true);
    expect(taken.map(({ call: sent }) => sent.endpoint)).toEqual([`small ${n}`]);
    chunks.push(chunk?.body ?? Buffer.alloc(0));
  }
  const { calls: last, chunk } = calls.take(true);
  expect(chunk).toBeUndefined();
  expect(last.map(({ call: sent }) => sent.endpoint)).toEqual(['large']);
  expect(Buffer.concat([...chunks, last[0]?.rest ?? Buffer.alloc(0)]).equals(large)).toBe(true);
});

it('sends a body in one piece to a peer that knows no chunks', () => {
  const calls = openCalls();
  void calls.add(call({ body: numbered(20 * chunkBytes) }), never);
  const { calls: taken, chunk } = calls.take();
  expect(chunk).toBeUndefined();
  expect([taken.length, taken[0]?.rest]).toEqual([1, undefined]);
});

it('ends what is half sent when its caller goes, and says that the model never had it', async () => {
  const calls = openCalls();
  const gone = new AbortController();
  const answer = calls.add(call({ body: numbered(20 * chunkBytes) }), gone.signal);
  const id = calls.take(true).chunk?.id ?? 0;
  gone.abort();
  expect(await answer).toMatchObject({ errorCode: 'cancelled', started: false });
  expect(calls.take(true)).toEqual({ calls: [], cancels: [id], chunk: undefined });
  expect(calls.size).toBe(0);
});

it('drops the beginning of an answer that nobody waits for any more', async () => {
  const calls = openCalls();
  const gone = new AbortController();
  const given: ScoreReply[] = [];
  const answer = calls.add(call(), gone.signal).then((got) => given.push(got));
  const id = calls.take(true).calls[0]?.id ?? 0;
  const before = wasted.running;
  calls.receive({ id, body: Buffer.alloc(4), totalBytes: 8 });
  gone.abort();
  await answer;
  calls.receive({ id, body: Buffer.alloc(4), totalBytes: 0 });
  calls.settle(id, reply({ status: 200 }));
  expect(given).toMatchObject([{ errorCode: 'cancelled' }]);
  expect(wasted.running).toBe(before + 1);
});
