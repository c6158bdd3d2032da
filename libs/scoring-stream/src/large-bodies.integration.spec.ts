import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGrpcServer, type GrpcServer } from '@mooring/rpc';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openScoringStream, reply, serveScoringStream } from './index.ts';
import type { ScoreCall, ScoreReply, ScoringStream, ScoringStreamServer } from './index.ts';
import { call } from './testing.ts';

const mebibyte = 2 ** 20;
const log = pino({ enabled: false });
const never = new AbortController().signal;
const large = Buffer.alloc(50 * mebibyte);
for (let at = 0; at < large.length; at += 4_096) large.writeUInt32LE(at, at);

let folder: string;
let server: GrpcServer;
let stream: ScoringStreamServer;
let client: ScoringStream;
let score: (received: ScoreCall, signal: AbortSignal) => Promise<ScoreReply>;
const abandoned = { queued: 0, running: 0 };

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stream-'));
  const address = `unix:${folder}/s.sock`;
  score = async ({ body }) => reply({ status: 200, body });
  const port = { score: (received: ScoreCall, signal: AbortSignal) => score(received, signal) };
  stream = serveScoringStream({ port, credits: 4, wantsHeaders: false, instanceId: 'i', log });
  server = await startGrpcServer({ address, services: [stream], log, ready: () => true });
  Object.assign(abandoned, { queued: 0, running: 0 });
  const onAbandoned = ({ queued, running }: { queued: number; running: number }): void => {
    abandoned.queued += queued;
    abandoned.running += running;
  };
  client = openScoringStream({ address, log, backoffMaxMs: 50, onAbandoned });
  await client.whenReady(AbortSignal.timeout(5_000));
});

afterEach(async () => {
  await client.close(AbortSignal.abort());
  await server.stop(AbortSignal.abort());
  rmSync(folder, { recursive: true, force: true });
});

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('the condition did not come true in 5 s');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const send = (fields: Partial<ScoreCall>, signal = never): Promise<ScoreReply> =>
  client.score(call({ deadlineMs: 30_000, ...fields }), signal);

it('answers many small calls, one after the other, while a large body goes there and back', async () => {
  let over = false;
  const answer = send({ body: large }).finally(() => (over = true));
  let small = 0;
  for (; !over; small += 1) {
    expect((await send({ body: Buffer.from(`small ${small}`) })).body.toString()).toBe(`small ${small}`);
  }
  expect((await answer).body.equals(large)).toBe(true);
  // A body holds 400 chunks; without them it would be one or two.
  expect(small).toBeGreaterThan(40);
});

it('carries several large bodies at once', async () => {
  const bodies = [1, 2, 3].map((n) => Buffer.concat([Buffer.from([n]), large.subarray(0, n * 5 * mebibyte)]));
  const answers = await Promise.all(bodies.map((body) => send({ body })));
  expect(answers.map(({ body }, n) => body.equals(bodies[n] as Buffer))).toEqual([true, true, true]);
});

it('starts no call whose body stops coming, and takes others in its place', async () => {
  let started = 0;
  score = async ({ body }) => {
    started += 1;
    return reply({ status: 200, body: body.subarray(0, 1) });
  };
  for (let n = 0; n < 12; n += 1) {
    const gone = new AbortController();
    const answer = send({ body: large }, gone.signal);
    await send({});
    gone.abort();
    expect(await answer).toMatchObject({ errorCode: 'cancelled', started: false });
  }
  expect(started).toBe(12);
  expect((await send({ body: large })).body.length).toBe(1);
  expect([client.openCalls, stream.openCalls()]).toEqual([0, 0]);
});

it('counts a large answer that is not read to its end as wasted', async () => {
  let answered = 0;
  score = async ({ body, query }) => {
    answered += query === 'large' ? 1 : 0;
    return reply({ status: 200, body: query === 'large' ? large : body });
  };
  const gone = new AbortController();
  const answer = send({ query: 'large' }, gone.signal);
  await until(() => answered === 1);
  gone.abort();
  expect(await answer).toMatchObject({ errorCode: 'cancelled', started: true });
  await until(() => abandoned.running === 1);
  expect((await send({ body: Buffer.from('next') })).body.toString()).toBe('next');
});

it('refuses a large call at its first chunk when the instance is being stopped', async () => {
  const open = Promise.withResolvers<ScoreReply>();
  score = () => open.promise;
  const held = send({});
  await until(() => stream.openCalls() === 1);
  const answer = send({ body: large });
  stream.drain();
  expect(await answer).toMatchObject({ errorReason: 'INSTANCE_DRAINING', started: false });
  open.resolve(reply({ status: 200 }));
  expect(await held).toMatchObject({ status: 200 });
});
