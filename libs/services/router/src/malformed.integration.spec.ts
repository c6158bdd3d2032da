import { connect } from 'node:http2';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ModelInferRequest } from '@mooring/contracts/inference';
import { reply } from '@mooring/scoring-stream';
import { eventually, seeded, startTestNats, tempDir, type TestNats } from '@mooring/testing';
import { routing } from './testing/fake-instance.ts';
import { rawCall, startTestPlatform, type TestPlatform } from './testing/test-platform.ts';
import { startTestScorer, type TestScorer } from './testing/test-scorer.ts';

const key = { authorization: 'Bearer k1' };
const folder = tempDir('router-');
let nats: TestNats;
let platform: TestPlatform;
let scorer: TestScorer;

const good = Buffer.from(
  ModelInferRequest.encode({
    modelName: 'cars',
    modelVersion: '',
    id: '1',
    parameters: {},
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1], parameters: {}, contents: undefined }],
    outputs: [],
    rawInputContents: [Buffer.alloc(4)],
  }).finish(),
);

beforeAll(async () => {
  nats = await startTestNats();
  const ground = { environment: nats.environment, store: await nats.connect(), folder: folder.path };
  platform = await startTestPlatform(ground);
  scorer = await startTestScorer(platform.folder, 'martina', 'm1', () => reply({ status: 200 }));
  await platform.setKeys('cars', 'k1', 'k2');
  await platform.routing.put('cars', routing());
  await platform.announce(scorer);
  await eventually(async () => (await rawCall(platform.client, 'ModelInfer', good, key)).code === status.OK);
});

afterAll(async () => {
  await platform.stop();
  await scorer.stop();
  await nats.stop();
  folder.remove();
});

const stillServes = async (): Promise<boolean> =>
  (await rawCall(platform.client, 'ModelInfer', good, key)).code === status.OK;

/** Never INTERNAL or UNKNOWN: those would say that the fault is ours. */
const blamesUs = (code: number): boolean =>
  code === status.INTERNAL || code === status.UNKNOWN || code === status.DATA_LOSS;

const named = [
  'ModelReady',
  'ModelMetadata',
  'ModelConfig',
  'ModelStatistics',
  'RepositoryIndex',
  'RepositoryModelLoad',
  'RepositoryModelUnload',
  'ModelInfer',
];
const broken: Readonly<Record<string, Buffer>> = {
  'a cut length': Buffer.from([0x0a]),
  'a length past the end': Buffer.from([0x0a, 0x7f, 0x61]),
  'a number without end': Buffer.alloc(12, 0xff),
  'field number 0': Buffer.from([0x02, 0x01, 0x61]),
  'a group': Buffer.from([0x0b, 0x0c]),
  'a huge length': Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f]),
  'a 64-bit value that is cut': Buffer.from([0x09, 1, 2]),
};

it.each(named.flatMap((method) => Object.keys(broken).map((what) => ({ method, what }))))(
  'answers $method with $what with a status that blames the message',
  async ({ method, what }) => {
    const sent = await rawCall(platform.client, method, broken[what] ?? Buffer.alloc(0), key);
    expect(blamesUs(sent.code)).toBe(false);
    if (method === 'ModelInfer') expect(sent.code).toBe(status.INVALID_ARGUMENT);
  },
);

it('answers 400 random messages and cuts of a good one without blaming itself, and serves on', async () => {
  const random = seeded(42);
  const codes = new Map<number, number>();
  for (let i = 0; i < 400; i += 1) {
    const bytes =
      i % 2 === 0
        ? Buffer.from(Array.from({ length: Math.floor(random() * 200) }, () => Math.floor(random() * 256)))
        : good.subarray(0, Math.floor(random() * good.length));
    const method = named[Math.floor(random() * named.length)] ?? 'ModelInfer';
    const { code } = await rawCall(platform.client, method, bytes, key);
    expect(blamesUs(code)).toBe(false);
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  console.log(`400 malformed gRPC messages: ${[...codes].map(([code, n]) => `${status[code]} ${n}`).join(', ')}`);
  expect(await stillServes()).toBe(true);
});

it.each([
  {
    why: 'control characters in the pin',
    values: { 'azureml-model-deployment': '../../etc/passwd' },
    code: status.NOT_FOUND,
  },
  {
    why: 'a pin of 4,000 characters',
    values: { 'azureml-model-deployment': 'x'.repeat(4_000) },
    code: status.NOT_FOUND,
  },
  {
    why: 'a pin that is a name of Object',
    values: { 'azureml-model-deployment': '__proto__' },
    code: status.NOT_FOUND,
  },
  { why: 'a request id that is none', values: { 'x-request-id': ' $(reboot) ' }, code: status.OK },
  { why: 'a request id of 2,000 characters', values: { 'x-ms-client-request-id': 'a'.repeat(2_000) }, code: status.OK },
  { why: 'a traceparent that is none', values: { traceparent: '00-zz-zz-01' }, code: status.OK },
  {
    why: 'a key of 3,000 characters',
    values: { authorization: `Bearer ${'k'.repeat(3_000)}` },
    code: status.UNAUTHENTICATED,
  },
  { why: 'no key after Bearer', values: { authorization: 'Bearer' }, code: status.UNAUTHENTICATED },
  { why: 'two words as key', values: { authorization: 'Bearer k1 k2' }, code: status.UNAUTHENTICATED },
])('takes $why for what it is', async ({ values, code }) => {
  const sent = await rawCall(platform.client, 'ModelInfer', good, { ...key, ...values });
  expect(sent.code).toBe(code);
  expect(sent.details).not.toContain('k1');
});

/** A request below gRPC: frames of the spec's own making. Resolves with grpc-status, or how the stream ended. */
function http2Request(headers: Readonly<Record<string, string>>, body: Buffer): Promise<string> {
  const session = connect(`http://${platform.router.grpcAddress ?? ''}`);
  return new Promise<string>((resolve) => {
    session.on('error', (error) => resolve(error.message));
    const stream = session.request({
      ':method': 'POST',
      ':path': '/inference.GRPCInferenceService/ModelInfer',
      'content-type': 'application/grpc',
      te: 'trailers',
      ...key,
      ...headers,
    });
    stream.setTimeout(3_000, () => resolve('timeout'));
    const take = (received: Record<string, unknown>): void => {
      const code =
        received['grpc-status'] ?? (received[':status'] === 200 ? undefined : `http ${String(received[':status'])}`);
      if (code !== undefined) resolve(String(code));
    };
    stream.on('response', take);
    stream.on('trailers', take);
    stream.on('error', () => resolve('reset'));
    stream.on('close', () => resolve('closed'));
    stream.resume();
    stream.end(body);
  }).finally(() => session.destroy());
}

const frame = (flag: number, length: number, bytes: Buffer): Buffer => {
  const head = Buffer.alloc(5);
  head.writeUInt8(flag, 0);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, bytes]);
};

it.each([
  {
    why: 'an unknown method',
    headers: { ':path': '/inference.GRPCInferenceService/Nope' },
    body: frame(0, 0, Buffer.alloc(0)),
  },
  { why: 'an unknown service', headers: { ':path': '/x.Y/Z' }, body: frame(0, 0, Buffer.alloc(0)) },
  { why: 'no path to speak of', headers: { ':path': '/' }, body: Buffer.alloc(0) },
  { why: 'GET', headers: { ':method': 'GET' }, body: Buffer.alloc(0) },
  { why: 'another content type', headers: { 'content-type': 'text/plain' }, body: good },
  { why: 'no message', headers: {}, body: Buffer.alloc(0) },
  { why: 'half a frame head', headers: {}, body: Buffer.from([0, 0]) },
  { why: 'a frame that is shorter than it says', headers: {}, body: frame(0, 500, good) },
  { why: 'a frame of 4 GiB by its head', headers: {}, body: frame(0, 0xffff_ffff, good) },
  { why: 'a frame said to be compressed without encoding', headers: {}, body: frame(1, good.length, good) },
  {
    why: 'a frame said to be gzip that is none',
    headers: { 'grpc-encoding': 'gzip' },
    body: frame(1, good.length, good),
  },
  { why: 'an unknown encoding', headers: { 'grpc-encoding': 'rot13' }, body: frame(1, good.length, good) },
  {
    why: 'two messages in a unary call',
    headers: {},
    body: Buffer.concat([frame(0, good.length, good), frame(0, good.length, good)]),
  },
  {
    why: 'an idempotency key that is not ASCII',
    headers: { 'idempotency-key': 'k\u00fcche' },
    body: frame(0, good.length, good),
  },
  { why: 'a timeout that is none', headers: { 'grpc-timeout': 'soon' }, body: frame(0, good.length, good) },
  { why: 'a timeout of 0', headers: { 'grpc-timeout': '0m' }, body: frame(0, good.length, good) },
  { why: 'a negative timeout', headers: { 'grpc-timeout': '-5S' }, body: frame(0, good.length, good) },
])('survives $why on the wire', async ({ headers, body }) => {
  const outcome = await http2Request(headers, body);
  expect(outcome).not.toBe('timeout');
  expect(outcome).not.toBe(String(status.OK));
  expect(await stillServes()).toBe(true);
});
