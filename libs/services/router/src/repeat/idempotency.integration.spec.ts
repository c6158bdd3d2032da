import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { PlatformError } from '@mooring/errors';
import { idempotencyBucket, type IdempotencyRecord } from '@mooring/domain';
import type { Bucket, Nats } from '@mooring/messaging';
import { failedReply, reply, type ScoreCall, type ScoreReply } from '@mooring/scoring-stream';
import { call as scoreCall } from '@mooring/scoring-stream/testing';
import { eventually, startTestNats, tempDir, type TestNats } from '@mooring/testing';
import { routing } from '../testing/fake-instance.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';
import { startTestScorer, type TestScorer } from '../testing/test-scorer.ts';
import { keyDigest } from './call-digest.ts';

const leaseMs = 600;
const settings = {
  MOORING_ROUTER_IDEMPOTENCY_LEASE_MS: String(leaseMs),
  MOORING_ROUTER_IDEMPOTENCY_ENTRIES_MAX: '200',
  MOORING_ROUTER_IDEMPOTENCY_ANSWER_BYTES_MAX: '20000',
  MOORING_ROUTER_IDEMPOTENCY_SHARED_BYTES_MAX: String(2 ** 20),
};
const folder = tempDir('once-');
const limits = { memory: { ttlMs: 600_000, bytesMax: 2 ** 20 } };
let nats: TestNats;
let store: Nats;
let shared: Bucket<IdempotencyRecord>;
let [one, two]: TestPlatform[] = [];
let scorers: TestScorer[];
let runs = 0;
let answer: (call: ScoreCall, signal: AbortSignal, id: string) => Promise<ScoreReply> | ScoreReply;

const counted = (_call?: ScoreCall): ScoreReply => {
  runs += 1;
  const headers = [{ name: 'x-run', value: String(runs) }];
  return reply({ status: 200, contentType: 'text/plain', headers, body: Buffer.from(`run ${runs}`) });
};

function send(
  platform: TestPlatform | undefined,
  idempotencyKey: string,
  fields: Partial<ScoreCall> = {},
  signal = new AbortController().signal,
): Promise<ScoreReply> {
  if (platform === undefined) throw new Error('it has not started');
  return platform.router.scoring.score(scoreCall({ idempotencyKey, body: Buffer.from('a'), ...fields }), signal);
}

/** As the routing records of this spec name an endpoint. */
const routed = (name: string): { name: string; createdAt: string } => ({ name, createdAt: routing().createdAt });

/** What the processes share of a key, once it is there. */
function storedRecord(key: string): Promise<IdempotencyRecord> {
  return eventually(async () => {
    const entry = await shared.get(keyDigest(routed('cars'), key));
    if (entry === undefined) throw new Error('it is not there');
    return entry.value;
  });
}

beforeAll(async () => {
  nats = await startTestNats();
  store = await nats.connect();
  const start = (name: string): Promise<TestPlatform> => {
    const own = join(folder.path, name);
    mkdirSync(own);
    return startTestPlatform({ environment: nats.environment, store, folder: own }, settings);
  };
  [one, two] = [await start('1'), await start('2')];
  scorers = await Promise.all(
    ['m1', 'm2'].map((id) => startTestScorer(folder.path, 'martina', id, (call, signal) => answer(call, signal, id))),
  );
  answer = counted;
  await one?.routing.put('cars', routing({ names: ['martina', 'luca'] }));
  for (const scorer of scorers) await one?.announce(scorer);
  for (const platform of [one, two]) {
    await eventually(async () => (await send(platform, '')).errorCode === '');
  }
  shared = await store.bucket<IdempotencyRecord>(idempotencyBucket, limits);
});
beforeEach(() => {
  answer = counted;
  runs = 0;
});
afterAll(async () => {
  await Promise.all([one?.stop(), two?.stop()]);
  await Promise.all(scorers.map((scorer) => scorer.stop()));
  await nats.stop();
  folder.remove();
});

it('gives everybody who sends the same key the first answer, in whichever process, with its headers', async () => {
  const key = randomUUID();
  const first = await send(one, key);
  expect(first).toMatchObject({ idempotency: 'stored', status: 200 });
  for (const platform of [one, two, two, one]) {
    const again = await send(platform, key, { requestId: 'another' });
    expect(again).toMatchObject({ idempotency: 'replayed', status: 200, contentType: 'text/plain', retries: 0 });
    expect(again.body.toString()).toBe('run 1');
    expect(again.headers).toEqual(first.headers);
  }
  expect(runs).toBe(1);
  expect((await send(one, randomUUID())).body.toString()).toBe('run 2');
});

it.each([
  ['body', { body: Buffer.from('b') }],
  ['query', { query: 'x=1' }],
  ['content type', { contentType: 'text/csv' }],
  ['pinned deployment', { deployment: 'martina' }],
])('refuses a key with another %s, in whichever process', async (_what, fields) => {
  const key = randomUUID();
  await send(one, key);
  for (const platform of [one, two]) {
    const refused = await send(platform, key, fields);
    expect(refused).toMatchObject({
      errorCode: 'already_exists',
      errorReason: 'IDEMPOTENCY_KEY_REUSED',
      started: false,
    });
  }
  expect(runs).toBe(1);
});

it('lets who comes meanwhile wait for the run, here and elsewhere, each within its own deadline', async () => {
  const gate = Promise.withResolvers<void>();
  answer = async () => {
    await gate.promise;
    return counted();
  };
  const key = randomUUID();
  const first = send(one, key);
  await eventually(() => scorers.some(({ openNow }) => openNow === 1));
  const here = send(one, key);
  const there = send(two, key);
  const hasty = await Promise.all([one, two].map((platform) => send(platform, key, { deadlineMs: 60 })));
  expect(hasty.map(({ errorCode }) => errorCode)).toEqual(['deadline_exceeded', 'deadline_exceeded']);
  expect((await send(two, key, { body: Buffer.from('b') })).errorReason).toBe('IDEMPOTENCY_KEY_REUSED');
  gate.resolve();
  const answers = await Promise.all([first, here, there]);
  expect(answers.map(({ body }) => body.toString())).toEqual(['run 1', 'run 1', 'run 1']);
  expect(answers.map(({ idempotency }) => idempotency)).toEqual(['stored', 'replayed', 'replayed']);
  expect(runs).toBe(1);
});

it('runs once although the first caller leaves while others wait; when all leave it is cancelled and the key is free', async () => {
  const gate = Promise.withResolvers<void>();
  let aborted = 0;
  answer = async (_call, signal) => {
    signal.addEventListener('abort', () => (aborted += 1), { once: true });
    await gate.promise;
    return counted();
  };
  const key = randomUUID();
  const [leaves, alsoLeaves] = [new AbortController(), new AbortController()];
  const first = send(one, key, {}, leaves.signal);
  const second = send(one, key, {}, alsoLeaves.signal);
  await eventually(() => scorers.some(({ openNow }) => openNow === 1));
  leaves.abort();
  expect((await first).errorCode).toBe('cancelled');
  expect(aborted).toBe(0);
  alsoLeaves.abort();
  expect((await second).errorCode).toBe('cancelled');
  await eventually(() => aborted === 1);
  gate.resolve();
  await eventually(() => scorers.every(({ openNow }) => openNow === 0));
  answer = counted;
  runs = 0;
  for (const platform of [two, one]) expect((await send(platform, key)).body.toString()).toBe('run 1');
});

it.each([
  ['a failure of the script itself', () => reply({ status: 500, body: Buffer.from('boom') }), 1],
  ['an exception of the script', () => failedReply(new PlatformError('model_failed', 'SCRIPT_FAILED', 'x'), true), 1],
  [
    'a refusal for lack of room',
    () => failedReply(new PlatformError('unavailable', 'QUEUE_BYTES_FULL', 'x'), false),
    8,
  ],
  ['a timeout', () => failedReply(new PlatformError('scoring_timeout', 'SCORING_TIMEOUT', 'x'), true), 2],
])('keeps what the model says and not what is said of its absence: %s', async (_what, make, wanted) => {
  answer = () => {
    runs += 1;
    return make();
  };
  const key = randomUUID();
  const [first, second] = [await send(one, key), await send(two, key)];
  expect([second.status, second.errorReason]).toEqual([first.status, first.errorReason]);
  if (wanted === 1) expect(second.idempotency).toBe('replayed');
  else expect(second.idempotency).toBe('');
  expect(wanted === 1 ? runs : Math.min(runs, 2)).toBe(Math.min(wanted, 2));
});

it('says of an answer that is too large that it is not kept, and runs the request again', async () => {
  answer = () => {
    runs += 1;
    return reply({ status: 200, body: Buffer.alloc(30_000) });
  };
  const key = randomUUID();
  for (const platform of [one, one, two]) expect((await send(platform, key)).idempotency).toBe('not-stored');
  expect(runs).toBe(3);
});

it('gives a started call with a key to another instance when its own is lost; one without is told so', async () => {
  let lostOnes = 0;
  answer = async (_call, _signal, id) => {
    const scorer = scorers.find((each) => each.id === id);
    if (id === 'm1' && lostOnes === 0) {
      lostOnes += 1;
      await scorer?.stop();
      return new Promise(() => {});
    }
    return counted();
  };
  const [m1] = scorers;
  const replaced = async (): Promise<void> => {
    lostOnes = 0;
    const record = m1?.record;
    if (record === undefined) throw new Error('no scorer');
    scorers[0] = await startTestScorer(folder.path, 'martina', 'm1', (call, signal) => answer(call, signal, 'm1'));
    await eventually(async () => {
      const before = scorers[0]?.calls.length ?? 0;
      await send(one, '', { deadlineMs: 500 });
      return (scorers[0]?.calls.length ?? 0) > before || lostOnes > 0;
    });
  };
  // Both instances take calls in turn, so one of four finds the one that is lost.
  const keyed = await Promise.all(Array.from({ length: 4 }, () => send(one, randomUUID())));
  expect(lostOnes).toBe(1);
  expect(keyed.map(({ errorReason }) => errorReason)).toEqual(['', '', '', '']);
  expect(keyed.reduce((sum, { retries }) => sum + retries, 0)).toBeGreaterThanOrEqual(1);
  expect(runs).toBe(4);
  answer = counted;
  await replaced();
  answer = async (_call, _signal, id) => {
    if (id !== 'm1') return counted();
    await scorers[0]?.stop();
    return new Promise(() => {});
  };
  const plain = await Promise.all(Array.from({ length: 4 }, () => send(one, '')));
  expect(plain.map(({ errorReason }) => errorReason)).toContain('INSTANCE_LOST');
  answer = counted;
  await replaced();
});

it('takes over the claim of a process that is dead after its lease, and never that of one that lives', async () => {
  const key = randomUUID();
  const body = Buffer.from('a');
  // As a process leaves it that is killed while it runs the request.
  const running = Promise.withResolvers<void>();
  answer = async () => {
    await running.promise;
    return counted();
  };
  const alive = send(one, key, { body });
  const claim = await storedRecord(key);
  const dead = randomUUID();
  await shared.create(keyDigest(routed('cars'), dead), { fingerprint: claim.fingerprint, owner: 'a dead one' });
  const started = performance.now();
  const waiting = send(two, key, { body });
  const over = send(two, dead, { body });
  await eventually(() => scorers.reduce((sum, { openNow }) => sum + openNow, 0) === 2, { timeoutMs: 10_000 });
  expect(performance.now() - started).toBeGreaterThan(leaseMs * 0.8);
  await new Promise((resolve) => setTimeout(resolve, leaseMs * 2));
  expect(scorers.reduce((sum, { openNow }) => sum + openNow, 0)).toBe(2);
  running.resolve();
  const answers = await Promise.all([alive, waiting, over]);
  expect(answers.map(({ errorCode }) => errorCode)).toEqual(['', '', '']);
  expect(answers[1]?.idempotency).toBe('replayed');
  expect(runs).toBe(2);
});

it('stays within its bounds over 10,000 keys, and goes on answering', async () => {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (; next < 10_000;) {
      next += 1;
      await send(next % 2 === 0 ? one : two, `bounded-${next}`);
    }
  };
  await Promise.all(Array.from({ length: 64 }, worker));
  expect(runs).toBe(10_000);
  // Listing does not end while entries come and go.
  for (const platform of [one, two]) await platform?.router.scoring.settled();
  const held = await shared.list();
  expect(held.size).toBeLessThan(5_000);
  const last = await send(one, 'bounded-10000');
  expect(last.idempotency).toBe('replayed');
  // Its answer went long ago, and it runs like a new one.
  expect((await send(one, 'bounded-1')).idempotency).toBe('stored');
}, 120_000);

it('takes a body of the largest size, with a key or without', async () => {
  const body = Buffer.alloc(100 * 2 ** 20, 1);
  const key = randomUUID();
  expect((await send(one, key, { body })).idempotency).toBe('stored');
  expect((await send(two, key, { body })).idempotency).toBe('replayed');
  body[5] = 2;
  expect((await send(two, key, { body })).errorReason).toBe('IDEMPOTENCY_KEY_REUSED');
});

it('puts no key into the store in clear, and nothing for an endpoint that does not exist', async () => {
  const key = `secret-${randomUUID()}`;
  await send(one, key);
  await storedRecord(key);
  expect((await send(one, key, { endpoint: 'nothing' })).errorReason).toBe('ENDPOINT_NOT_FOUND');
  const all = await shared.list();
  expect([...all.keys()].join(' ') + JSON.stringify([...all.values()].slice(-5))).not.toContain('secret-');
  expect(all.has(keyDigest(routed('nothing'), key))).toBe(false);
});

it('goes on with what this process knows while NATS is away, and shares again when it is back', async () => {
  const key = randomUUID();
  await send(one, key);
  await nats.kill();
  try {
    await eventually(() => !store.connected());
    expect((await send(one, key)).idempotency).toBe('replayed');
    const other = randomUUID();
    const started = performance.now();
    expect((await send(two, other)).idempotency).toBe('stored');
    expect(performance.now() - started).toBeLessThan(2_500);
    expect((await send(two, other)).idempotency).toBe('replayed');
    expect((await send(two, other, { body: Buffer.from('b') })).errorReason).toBe('IDEMPOTENCY_KEY_REUSED');
  } finally {
    await nats.resume();
  }
  await eventually(() => store.connected(), { timeoutMs: 15_000 });
  await eventually(
    async () => {
      const fresh = randomUUID();
      await send(one, fresh);
      return (await send(two, fresh)).idempotency === 'replayed';
    },
    { timeoutMs: 20_000 },
  );
}, 60_000);

it('waits a second for a NATS that gives no answer, and not at all for a while then', async () => {
  process.kill(nats.pid(), 'SIGSTOP');
  try {
    const first = performance.now();
    expect((await send(one, randomUUID())).idempotency).toBe('stored');
    expect(performance.now() - first).toBeLessThan(2_500);
    const then = performance.now();
    expect((await send(one, randomUUID())).idempotency).toBe('stored');
    expect(performance.now() - then).toBeLessThan(500);
  } finally {
    process.kill(nats.pid(), 'SIGCONT');
  }
}, 30_000);
