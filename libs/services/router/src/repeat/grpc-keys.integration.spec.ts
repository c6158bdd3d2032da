import { randomUUID } from 'node:crypto';
import { status, type StatusObject } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { ModelInferRequest, ModelInferResponse, ModelStreamInferResponse } from '@mooring/contracts/inference';
import { reply, type ScoreCall } from '@mooring/scoring-stream';
import { eventually, startTestNats, tempDir, type TestNats } from '@mooring/testing';
import { routing } from '../testing/fake-instance.ts';
import { metadata, rawCall, startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';
import { startTestScorer, type TestScorer } from '../testing/test-scorer.ts';

const authorization = 'Bearer k1';
const folder = tempDir('keys-');
let nats: TestNats;
let platform: TestPlatform;
let scorer: TestScorer;

function request(id: string, key?: string): Buffer {
  const parameters = key === undefined ? {} : { idempotency_key: text(key) };
  const empty = { modelVersion: '', inputs: [], outputs: [], rawInputContents: [] };
  return Buffer.from(ModelInferRequest.encode({ modelName: 'cars', id, parameters, ...empty }).finish());
}
const text = (value: string) => ({ parameterChoice: { $case: 'stringParam' as const, value } });

function scored(call: ScoreCall) {
  const { id } = ModelInferRequest.decode(call.body);
  const parameters = { run: text(String(scorer.calls.length)) };
  const response = { modelName: 'cars', modelVersion: '', id, parameters, outputs: [], rawOutputContents: [] };
  return reply({ status: 200, body: Buffer.from(ModelInferResponse.encode(response).finish()) });
}

const infer = (id: string, values: Record<string, string | string[]> = {}) =>
  rawCall(platform.client, 'ModelInfer', request(id), { authorization, ...values });

/** Sends the messages over one stream, one after the other's answer. */
async function overStream(messages: Buffer[], values: Record<string, string> = {}) {
  const same = (bytes: Buffer): Buffer => bytes;
  const path = '/inference.GRPCInferenceService/ModelStreamInfer';
  const stream = platform.client.makeBidiStreamRequest<Buffer, Buffer>(
    path,
    same,
    same,
    metadata({ authorization, ...values }),
    { deadline: Date.now() + 10_000 },
  );
  const answers: ModelStreamInferResponse[] = [];
  const ended = new Promise<StatusObject>((resolve) => stream.on('status', resolve));
  stream.on('error', () => undefined);
  stream.on('data', (message: Buffer) => {
    answers.push(ModelStreamInferResponse.decode(message));
    const next = messages[answers.length];
    if (next === undefined) stream.end();
    else stream.write(next);
  });
  stream.write(messages[0] ?? Buffer.alloc(0));
  return { status: await ended, answers };
}

beforeAll(async () => {
  nats = await startTestNats();
  platform = await startTestPlatform({
    environment: nats.environment,
    store: await nats.connect(),
    folder: folder.path,
  });
  scorer = await startTestScorer(platform.folder, 'martina', 'm1', scored);
  await platform.setKeys('cars', 'k1', 'k2');
  await platform.routing.put('cars', routing());
  await platform.announce(scorer);
  await eventually(async () => (await infer('probe')).code === status.OK);
});
beforeEach(() => void (scorer.calls.length = 0));
afterAll(async () => {
  await platform.stop();
  await scorer.stop();
  await nats.stop();
  folder.remove();
});

it('answers a unary call again that carries the same idempotency-key in its metadata', async () => {
  const key = randomUUID();
  const first = await infer('r1', { 'idempotency-key': key });
  const second = await infer('r1', { 'idempotency-key': key });
  expect([first.code, second.code]).toEqual([status.OK, status.OK]);
  expect(second.body.equals(first.body)).toBe(true);
  expect(first.headers.get('idempotency-replayed')).toEqual([]);
  expect(first.headers.get('x-mooring-idempotency')).toEqual(['stored']);
  expect(second.headers.get('idempotency-replayed')).toEqual(['true']);
  expect(scorer.calls).toHaveLength(1);
  const reused = await infer('another id', { 'idempotency-key': key });
  expect([reused.code, reused.details]).toEqual([status.ALREADY_EXISTS, expect.stringContaining('Idempotency-Key')]);
});

it.each([
  ['', 'is empty'],
  ['k'.repeat(256), 'has 256 characters'],
])('refuses the key %j', async (key, why) => {
  const refused = await infer('r1', { 'idempotency-key': key });
  expect([refused.code, refused.details]).toEqual([status.INVALID_ARGUMENT, expect.stringContaining(why)]);
  expect(scorer.calls).toEqual([]);
});

it('refuses two keys for one request: which one counts would be a guess', async () => {
  const refused = await infer('r1', { 'idempotency-key': ['a', 'b'] });
  expect([refused.code, refused.details]).toEqual([status.INVALID_ARGUMENT, expect.stringContaining('comes 2 times')]);
  expect(scorer.calls).toEqual([]);
});

it('takes a key for each request of a stream as its parameter, and says in the answer that it is replayed', async () => {
  const key = randomUUID();
  const messages = [request('r1', key), request('r1', key), request('r2'), request('r3', key), request('r4', '')];
  const { status: end, answers } = await overStream(messages);
  expect(end.code).toBe(status.OK);
  const replayed = answers.map(({ inferResponse }) => inferResponse?.parameters['idempotency_replayed'] !== undefined);
  expect(replayed).toEqual([false, true, false, false, false]);
  expect(answers[1]?.inferResponse?.parameters['run']).toEqual(answers[0]?.inferResponse?.parameters['run']);
  const errors = answers.map(({ errorMessage }) => /^\[(\w+)\]/.exec(errorMessage)?.[1]);
  expect(errors).toEqual([undefined, undefined, undefined, 'IDEMPOTENCY_KEY_REUSED', 'IDEMPOTENCY_KEY_INVALID']);
  expect(scorer.calls).toHaveLength(2);
});

it('refuses a key for a whole stream, and says where it belongs', async () => {
  const { status: end, answers } = await overStream([request('r1')], { 'idempotency-key': 'a' });
  expect([end.code, answers]).toEqual([status.INVALID_ARGUMENT, []]);
  expect(end.details).toContain('parameter idempotency_key');
});
