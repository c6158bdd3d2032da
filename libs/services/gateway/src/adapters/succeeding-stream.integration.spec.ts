import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { startGrpcServer, type GrpcServer } from '@mooring/rpc';
import {
  openScoringStream,
  reply,
  serveScoringStream,
  type ScoreCall,
  type ScoringStreamServer,
} from '@mooring/scoring-stream';
import { eventually, tempDir } from '@mooring/testing';
import { call as scoreCall } from '@mooring/scoring-stream/testing';
import { SucceedingStream } from './succeeding-stream.ts';

const log = pino({ enabled: false });
const never = new AbortController().signal;
const folder = tempDir();
const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

interface FakeRouter {
  stream: ScoringStreamServer;
  server: GrpcServer;
  seen: ScoreCall[];
  release: () => void;
}

/** A router that answers with its name; one that is slow, when it is told to. */
async function startRouter(name: string, address: string, slow = false): Promise<FakeRouter> {
  const gate = Promise.withResolvers<void>();
  if (!slow) gate.resolve();
  const seen: ScoreCall[] = [];
  const port = {
    score: async (call: ScoreCall) => {
      seen.push(call);
      await gate.promise;
      return reply({ status: 200, body: Buffer.from(name) });
    },
  };
  const stream = serveScoringStream({ port, credits: 8, wantsHeaders: true, instanceId: name, log });
  const server = await startGrpcServer({ address, services: [stream], log, ready: () => true });
  cleanUps.push(() => server.stop(AbortSignal.abort()));
  return { stream, server, seen, release: gate.resolve };
}

function open(addressOf: () => string): SucceedingStream {
  const stream = new SucceedingStream(() => openScoringStream({ address: addressOf(), log }));
  cleanUps.push(() => stream.close(AbortSignal.abort()));
  return stream;
}

const text = (answer: { body: Uint8Array }): string => Buffer.from(answer.body).toString();

describe('the stream to a router that is replaced', () => {
  it('goes on with the next router at once, while the first one answers what it has', async () => {
    const [first, second] = ['first', 'second'].map((name) => `unix:${join(folder.path, `${name}.sock`)}`);
    const old = await startRouter('old', first ?? '', true);
    const next = await startRouter('next', second ?? '');
    let address = first ?? '';
    const stream = open(() => address);
    await eventually(() => expect(stream.ready()).toBe(true));
    const held = stream.score(scoreCall(), never);
    await eventually(() => expect(old.seen).toHaveLength(1));
    address = second ?? '';
    old.stream.drain();
    const after = Array.from({ length: 5 }, () => stream.score(scoreCall(), never));
    expect((await Promise.all(after)).map(text)).toEqual(Array.from({ length: 5 }, () => 'next'));
    old.release();
    expect(text(await held)).toBe('old');
    expect([old.seen.length, next.seen.length]).toEqual([1, 5]);
  });

  it('lets a call wait that comes while no router is there, less what it waited', async () => {
    const address = `unix:${join(folder.path, 'late.sock')}`;
    const stream = open(() => address);
    const waiting = stream.score(scoreCall({ deadlineMs: 10_000 }), never);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const router = await startRouter('late', address);
    expect(text(await waiting)).toBe('late');
    expect(router.seen[0]?.deadlineMs).toBeLessThan(9_950);
  });

  it('does not wait longer than the caller', async () => {
    const stream = open(() => `unix:${join(folder.path, 'nobody.sock')}`);
    const startedAt = performance.now();
    const answer = await stream.score(scoreCall({ deadlineMs: 100 }), never);
    expect(answer).toMatchObject({ errorCode: 'unavailable', started: false });
    expect(performance.now() - startedAt).toBeLessThan(1_500);
  });
});

describe('the stream to a router that is killed', () => {
  it('sends a call that it had again only where that carries an idempotency key', async () => {
    const address = `unix:${join(folder.path, 'killed.sock')}`;
    const killed = await startRouter('killed', address, true);
    const stream = open(() => address);
    await eventually(() => expect(stream.ready()).toBe(true));
    const keyed = stream.score(scoreCall({ idempotencyKey: 'a' }), never);
    const plain = stream.score(scoreCall(), never);
    await eventually(() => expect(killed.seen).toHaveLength(2));
    await killed.server.stop(AbortSignal.abort());
    expect(await plain).toMatchObject({ errorReason: 'INSTANCE_LOST', started: true });
    const next = await startRouter('next', address);
    expect(text(await keyed)).toBe('next');
    expect(next.seen.map(({ idempotencyKey }) => idempotencyKey)).toEqual(['a']);
  });
});
