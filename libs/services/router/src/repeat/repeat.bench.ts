/**
 * `node repeat.bench.ts`: CPU of one call without any network, microseconds, 16 in flight: routed as it is, with everything
 * of repeated requests in its way but unused, answered from the cache, and with a key whose claim goes to a real NATS.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { connectNats, startNatsServer } from '@mooring/messaging';
import { reply, type ScoreCall, type ScoringPort } from '@mooring/scoring-stream';
import { call } from '@mooring/scoring-stream/testing';
import { createNatsClaims } from '../adapters/nats-claims.ts';
import { FakeInstance, routing } from '../testing/fake-instance.ts';
import { testRouter } from '../testing/test-router.ts';
import { AnswerStore } from './answer-store.ts';
import { IdempotentPort, type KnownAnswer } from './idempotency.ts';

const never = new AbortController().signal;
const body = Buffer.from('{"data": [[5.1, 3.5, 1.4, 0.2]]}');

function router(cached: boolean): ReturnType<typeof testRouter> {
  const record = routing({ names: ['martina'] });
  const martina = record.deployments['martina'];
  if (martina === undefined) throw new Error('no route');
  const cache = cached ? { responseCache: { ttlMs: 3_600_000, bytesMax: 2 ** 20 } } : {};
  const made = testRouter({ record: { ...record, deployments: { martina: { ...martina, ...cache } } } });
  const fake = made.instance('martina', new FakeInstance('a'));
  // Answers at once and keeps nothing: what is measured is the router.
  fake.score = () => Promise.resolve(reply({ status: 200, contentType: 'application/json', body }));
  return made;
}

async function measure(what: string, port: ScoringPort, calls: number, next: (n: number) => Partial<ScoreCall>) {
  const round = async (from: number): Promise<number> => {
    const before = process.cpuUsage();
    for (let n = from; n < from + calls; n += 16) {
      // What is awaited here may never leave the microtasks; the store's answers come by the event loop.
      if (n % 1_600 === 0) await new Promise((resolve) => setImmediate(resolve));
      await Promise.all(Array.from({ length: 16 }, (_unused, i) => port.score(call({ body, ...next(n + i) }), never)));
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / calls;
  };
  await round(0);
  const rounds: number[] = [];
  for (let n = 1; n <= 5; n += 1) rounds.push(await round(n * calls));
  console.log(`${what}: ${rounds.toSorted((a, b) => a - b)[2]?.toFixed(1)} us`);
}

const folder = mkdtempSync(join(tmpdir(), 'bench-'));
const account = { user: 'bench', password: 'bench' };
const server = await startNatsServer({ dataDir: folder, port: 0, ...account });
const nats = await connectNats({ url: server.url, name: 'bench', ...account }, pino({ enabled: false }));
const plain = router(false);
const once = new IdempotentPort(plain.route, {
  directory: plain.directory,
  answers: new AnswerStore<KnownAnswer>({ entriesMax: 10_000, bytesMax: 2 ** 26, ttlMs: 600_000 }, () =>
    performance.now(),
  ),
  claims: { store: createNatsClaims(nats, { ttlMs: 600_000, bytesMax: 2 ** 27 }), leaseMs: 5_000 },
  processId: 'bench',
  answerBytesMax: 2 ** 19,
  openMax: 4_096,
  note: () => {},
});
await measure('route alone', plain.route, 100_000, () => ({}));
await measure('no key, no cache', once, 100_000, () => ({}));
await measure('route alone, again', plain.route, 100_000, () => ({}));
await measure('answered from the cache', router(true).route, 100_000, () => ({}));
await measure('a key that is known', once, 50_000, () => ({ idempotencyKey: 'known' }));
// Last: what it stores goes on behind it.
await measure('a new key each', once, 5_000, (n) => ({ idempotencyKey: `k${n}` }));
await once.settled();
await nats.close();
await server.stop();
rmSync(folder, { recursive: true, force: true });
process.exit(0);
