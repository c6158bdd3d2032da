import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ModelStatisticsResponse } from '@mooring/contracts/inference';
import { Operation, Protocol } from '@mooring/contracts/scoring';
import { inlineBansBucket, kvKey, type InlineBanRecord, type InstanceRecord } from '@mooring/domain';
import { createOnnxRuntime } from '@mooring/inference';
import type { Nats } from '@mooring/messaging';
import { errorOf, type ModelRuntime, type ScoreCall, type ScoreReply } from '@mooring/scoring-stream';
import { call as scoreCall } from '@mooring/scoring-stream/testing';
import { eventually, fixture, startTestNats, tempDir, type TestNats } from '@mooring/testing';
import { routing } from '../testing/fake-instance.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';
import { startTestScorer, type TestScorer } from '../testing/test-scorer.ts';

const log = pino({ enabled: false });
const folder = tempDir('inline-');
const never = new AbortController().signal;
const limits = { batchMaxRows: 1, batchMaxDelayUs: 0, maxRequestBytes: 2 ** 20, maxResponseBytes: 2 ** 20 };
let nats: TestNats;
let store: Nats;
let platform: TestPlatform;
let runtime: ModelRuntime;
let scorer: TestScorer;

beforeAll(async () => {
  nats = await startTestNats();
  store = await nats.connect();
  platform = await startTestPlatform({ environment: nats.environment, store, folder: folder.path });
  runtime = createOnnxRuntime(
    {
      instanceId: 'a1',
      endpoint: 'cars',
      deployment: 'martina',
      threads: 1,
      runtime: { kind: 'onnx', file: fixture('iris-onnx/model.onnx') },
      settings: { ...limits, cpu: undefined, memoryMib: undefined, mirrorTolerance: 1e-4 },
    },
    log,
  );
  await runtime.start();
  scorer = await startTestScorer(platform.folder, 'martina', 'a1', (call, signal) => runtime.score(call, signal));
  await platform.routing.put(kvKey('cars'), routing({ names: ['martina'] }));
});

afterAll(async () => {
  await platform.stop();
  await scorer.stop();
  await runtime.stop(AbortSignal.timeout(1_000));
  await nats.stop();
  folder.remove();
});

const rows = (count: number): string =>
  JSON.stringify({ data: Array.from({ length: count }, () => [5.1, 3.5, 1.4, 0.2]) });
const score = (body: string, fields: Partial<ScoreCall> = {}): Promise<ScoreReply> =>
  platform.router.scoring.score(scoreCall({ endpoint: 'cars', body: Buffer.from(body), ...fields }), never);
const record = (fields: Partial<InstanceRecord> = {}): InstanceRecord => {
  const placement = runtime.placement?.();
  if (placement === undefined) throw new Error('the model was not placed');
  return { ...scorer.record, modelDigest: 'iris-digest', readyAt: '2026-01-01T00:00:01Z', placement, ...fields };
};
const put = (value: InstanceRecord): Promise<unknown> =>
  platform.instances.put(kvKey(value.endpoint, value.deployment, value.id), value);
const answeredBy = (instanceId: string): Promise<unknown> =>
  eventually(async () => (await score(rows(1))).instanceId === instanceId);
const inside = 'martina-inline';

it('answers from this process what an instance would answer, and leaves it what is large', async () => {
  await put(record());
  await answeredBy(inside);
  const before = scorer.calls.length;
  const inline = await score(rows(3));
  expect(scorer.calls.length).toBe(before);
  const direct = await runtime.score(scoreCall({ endpoint: 'cars', body: Buffer.from(rows(3)) }), never);
  expect(errorOf(inline)).toBeUndefined();
  expect(inline.body.equals(direct.body)).toBe(true);
  expect(inline).toMatchObject({ deployment: 'martina', pick: 'weight', retries: 0, rows: direct.rows });
  const large = await score(`${rows(1)}${' '.repeat(70_000)}`);
  expect(large.instanceId).toBe('a1');
  const described = await score('', { operation: Operation.OPERATION_METADATA });
  expect(described.instanceId).toBe('a1');
});

it('says in its own words what is wrong with a request', async () => {
  expect(errorOf(await score('{"data": [[1, 2]]}'))).toMatchObject({ code: 'invalid_argument' });
  const late = await score(rows(1), { deadlineMs: 0.000_001 });
  expect(errorOf(late)).toMatchObject({ code: 'deadline_exceeded', reason: 'DEADLINE_EXCEEDED' });
  const gone = AbortSignal.abort();
  const call = scoreCall({ endpoint: 'cars', body: Buffer.from(rows(1)) });
  expect(errorOf(await platform.router.scoring.score(call, gone))?.code).toBe('cancelled');
});

it('counts in the statistics what ran in this process', async () => {
  const statistics = async (): Promise<number> => {
    const fields = { operation: Operation.OPERATION_STATISTICS, protocol: Protocol.PROTOCOL_OIP_GRPC };
    const { body } = await score('', fields);
    return ModelStatisticsResponse.decode(body).modelStats[0]?.inferenceCount ?? 0;
  };
  const before = await statistics();
  expect((await score(rows(1))).instanceId).toBe(inside);
  expect(await statistics()).toBe(before + 1);
});

it('goes with the last ready instance of its spec, and comes back with the next', async () => {
  await put(record({ state: 'failed' }));
  await eventually(async () => errorOf(await score(rows(1)))?.code === 'unavailable');
  await put(record());
  await answeredBy(inside);
});

it('never runs again what is banned', async () => {
  const bans = await store.bucket<InlineBanRecord>(inlineBansBucket);
  await bans.put('iris-digest', { at: '2026-01-01T00:00:00Z', why: 'it crashed' });
  await answeredBy('a1');
  await bans.delete('iris-digest');
  await answeredBy(inside);
});

it.each([
  { lastExit: 'SIGSEGV', banned: true },
  { lastExit: '134', banned: true },
  { lastExit: 'SIGKILL', banned: false },
  { lastExit: '1', banned: false },
])('bans $banned what the process before held when that ended with $lastExit', async ({ lastExit, banned }) => {
  const other = tempDir('inline-');
  const marker = join(other.path, 'run', 'inline-router.json');
  mkdirSync(join(other.path, 'run'));
  writeFileSync(marker, JSON.stringify({ pid: 1, digests: [`digest-${lastExit}`] }));
  const ground = { environment: { ...nats.environment, MOORING_LAST_EXIT: lastExit }, store, folder: other.path };
  const second = await startTestPlatform(ground);
  const bans = await store.bucket<InlineBanRecord>(inlineBansBucket);
  expect((await bans.get(`digest-${lastExit}`)) !== undefined).toBe(banned);
  // The second router takes the same record in, so its own marker names the model now.
  await eventually(() => readFileSync(marker, 'utf8').includes('iris-digest'));
  await second.stop();
  expect(existsSync(marker)).toBe(false);
  other.remove();
});
