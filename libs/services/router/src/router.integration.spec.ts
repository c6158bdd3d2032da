import { status } from '@grpc/grpc-js';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  ModelConfigResponse,
  ModelInferRequest,
  ModelInferResponse,
  ModelMetadataResponse,
  ModelReadyRequest,
  ModelReadyResponse,
  ModelStatisticsRequest,
  ModelStatisticsResponse,
  RepositoryIndexRequest,
  RepositoryIndexResponse,
  RepositoryModelLoadRequest,
  ServerReadyResponse,
} from '@mooring/contracts/inference';
import { Operation } from '@mooring/contracts/scoring';
import { kvKey, type MirrorReportRecord } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { failedReply, openScoringStream, reply, type ScoreCall, type ScoreReply } from '@mooring/scoring-stream';
import { call as scoreCall } from '@mooring/scoring-stream/testing';
import { eventually, startTestNats, tempDir, type TestNats } from '@mooring/testing';
import { routing } from './testing/fake-instance.ts';
import { rawCall, startTestPlatform, type TestPlatform } from './testing/test-platform.ts';
import { startTestScorer, type TestScorer } from './testing/test-scorer.ts';

const key = { authorization: 'Bearer first-key' };
const silent = pino({ enabled: false });
const folder = tempDir('router-');
let nats: TestNats;
let platform: TestPlatform;
let martina: TestScorer;
let luca: TestScorer[];
let answer: (call: ScoreCall, signal: AbortSignal, id: string) => Promise<ScoreReply> | ScoreReply;

function request(fields: Partial<ModelInferRequest> = {}): Buffer {
  const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 2], parameters: {}, contents: undefined }];
  const raw = Buffer.from(new Float32Array([1, 2]).buffer);
  const base = {
    modelName: 'cars',
    modelVersion: '',
    id: 'r1',
    parameters: {},
    inputs,
    outputs: [],
    rawInputContents: [raw],
  };
  return Buffer.from(ModelInferRequest.encode({ ...base, ...fields }).finish());
}

/** What a scorer would answer, as far as the router cares. */
function scored(call: ScoreCall, id: string): ScoreReply {
  const done = (body: Uint8Array) => reply({ status: 200, body: Buffer.from(body), rows: 1 });
  if (call.operation === Operation.OPERATION_METADATA) {
    return done(
      ModelMetadataResponse.encode({
        name: call.modelName,
        versions: [call.deployment],
        platform: 'onnx',
        inputs: [],
        outputs: [],
      }).finish(),
    );
  }
  if (call.operation === Operation.OPERATION_STATISTICS) {
    const stats = {
      name: call.modelName,
      version: call.modelVersion,
      lastInference: 5,
      inferenceCount: 3,
      executionCount: 2,
      inferenceStats: undefined,
      batchStats: [],
    };
    return done(ModelStatisticsResponse.encode({ modelStats: [stats] }).finish());
  }
  if (call.operation === Operation.OPERATION_CONFIG)
    return done(ModelConfigResponse.encode({ config: undefined }).finish());
  if (call.operation === Operation.OPERATION_READY) return done(Buffer.alloc(0));
  const { id: requestId, modelVersion } = ModelInferRequest.decode(call.body);
  const outputs = [{ name: 'by', datatype: 'BYTES', shape: [1], parameters: {}, contents: undefined }];
  const rawOutputContents = [Buffer.from(id)];
  const response = {
    modelName: call.modelName,
    modelVersion,
    id: requestId,
    parameters: {},
    outputs,
    rawOutputContents,
  };
  return done(ModelInferResponse.encode(response).finish());
}

const answerer = (id: string) => (call: ScoreCall, signal: AbortSignal) => answer(call, signal, id);

/** Waits until the router has taken in what the spec stored. */
const servedBy = (version: string): Promise<unknown> =>
  eventually(
    async () =>
      (await rawCall(platform.client, 'ModelInfer', request({ modelVersion: version }), key)).code === status.OK,
  );

beforeAll(async () => {
  nats = await startTestNats();
  const ground = { environment: nats.environment, store: await nats.connect(), folder: folder.path };
  platform = await startTestPlatform(ground, { MOORING_ROUTER_STREAM_IN_FLIGHT_MAX: '4' });
  martina = await startTestScorer(platform.folder, 'martina', 'm1', answerer('m1'));
  luca = await Promise.all(['l1', 'l2'].map((id) => startTestScorer(platform.folder, 'luca', id, answerer(id))));
  answer = (call, _signal, id) => scored(call, id);
  await platform.setKeys('cars', 'first-key', 'second-key');
  await platform.setKeys('boats', 'boats-key', 'boats-key-2');
  await platform.routing.put('cars', routing());
  await platform.routing.put('boats', routing({ endpoint: 'boats', names: ['a'], traffic: {} }));
  for (const scorer of [martina, ...luca]) await platform.announce(scorer);
  await servedBy('martina');
  await servedBy('luca');
});

beforeEach(() => {
  answer = (call, _signal, id) => scored(call, id);
  for (const scorer of [martina, ...luca]) scorer.calls.length = 0;
});

afterAll(async () => {
  await platform.stop();
  await Promise.all([martina, ...luca].map((scorer) => scorer.stop()));
  await nats.stop();
  folder.remove();
});

it('forwards the bytes of a ModelInfer untouched and answers with the bytes of the instance', async () => {
  const message = request({ id: 'untouched' });
  const sent = await rawCall(platform.client, 'ModelInfer', message, { ...key, 'x-request-id': 'abc-1' });
  expect(sent.code).toBe(status.OK);
  expect(martina.calls[0]?.body.equals(message)).toBe(true);
  expect(martina.calls[0]).toMatchObject({
    deployment: 'martina',
    requestId: 'abc-1',
    modelName: 'cars',
    modelVersion: '',
  });
  expect(ModelInferResponse.decode(sent.body)).toMatchObject({ id: 'untouched', modelName: 'cars' });
  expect(sent.headers.get('azureml-model-deployment')).toEqual(['martina']);
  expect(sent.headers.get('x-ms-request-id')).toEqual(['abc-1']);
});

it('tells how a call was decided to whoever asks, in headers, and with a failure in trailers', async () => {
  const ask = { ...key, 'x-mooring-explain': '1', 'x-request-id': 'asked-1' };
  const sent = await rawCall(platform.client, 'ModelInfer', request(), ask);
  expect(sent.headers.get('x-mooring-decision')).toEqual([
    expect.stringMatching(
      /^rule=weight, bucket=\d+, deployment="martina", instance="[^"]+", placement=process, .*retries=0/,
    ),
  ]);
  const quiet = await rawCall(platform.client, 'ModelInfer', request(), key);
  expect(quiet.headers.get('x-mooring-decision')).toEqual([]);

  answer = async () => failedReply(new PlatformError('internal', 'BROKEN', 'no'), true);
  const failed = await rawCall(platform.client, 'ModelInfer', request({ modelVersion: 'luca' }), ask);
  expect(failed.code).toBe(status.INTERNAL);
  expect(failed.trailers.get('x-mooring-decision')).toEqual([expect.stringMatching(/^rule=pin, deployment="luca", /)]);
  expect(failed.trailers.get('x-ms-request-id')).toEqual(['asked-1']);
});

it('carries a message of 60 MiB', async () => {
  const message = request({ id: 'large', rawInputContents: [Buffer.alloc(60 * 2 ** 20, 3)] });
  const sent = await rawCall(platform.client, 'ModelInfer', message, key);
  expect(sent.code).toBe(status.OK);
  expect(martina.calls[0]?.body.equals(message)).toBe(true);
});

it('obeys a pin by model version and by metadata, and refuses two that disagree', async () => {
  const byVersion = await rawCall(platform.client, 'ModelInfer', request({ modelVersion: 'luca' }), key);
  const byHeader = await rawCall(platform.client, 'ModelInfer', request(), {
    ...key,
    'azureml-model-deployment': 'luca',
  });
  for (const sent of [byVersion, byHeader]) expect(sent.headers.get('azureml-model-deployment')).toEqual(['luca']);
  const both = await rawCall(platform.client, 'ModelInfer', request({ modelVersion: 'luca' }), {
    ...key,
    'azureml-model-deployment': 'martina',
  });
  expect(both).toMatchObject({ code: status.INVALID_ARGUMENT });
  expect(both.trailers.get('mooring-reason')).toEqual(['DEPLOYMENT_AMBIGUOUS']);
});

it.each([
  { why: 'no key', values: {}, fields: {}, code: status.UNAUTHENTICATED, reason: 'KEY_MISSING' },
  {
    why: 'a wrong key',
    values: { authorization: 'Bearer nope' },
    fields: {},
    code: status.UNAUTHENTICATED,
    reason: 'KEY_INVALID',
  },
  {
    why: "another endpoint's key",
    values: { authorization: 'Bearer boats-key' },
    fields: {},
    code: status.UNAUTHENTICATED,
    reason: 'KEY_INVALID',
  },
  {
    why: 'another scheme',
    values: { authorization: 'Basic first-key' },
    fields: {},
    code: status.UNAUTHENTICATED,
    reason: 'KEY_MALFORMED',
  },
  {
    why: 'an unknown endpoint',
    values: key,
    fields: { modelName: 'nope' },
    code: status.NOT_FOUND,
    reason: 'ENDPOINT_NOT_FOUND',
  },
  {
    why: 'an unknown deployment',
    values: key,
    fields: { modelVersion: '7' },
    code: status.NOT_FOUND,
    reason: 'DEPLOYMENT_NOT_FOUND',
  },
  {
    why: 'no model name',
    values: key,
    fields: { modelName: '' },
    code: status.INVALID_ARGUMENT,
    reason: 'MODEL_NAME_MISSING',
  },
  {
    why: 'an endpoint without traffic',
    values: { authorization: 'bearer boats-key' },
    fields: { modelName: 'boats' },
    code: status.NOT_FOUND,
    reason: 'NO_TRAFFIC',
  },
  {
    why: 'a deployment without instance',
    values: { authorization: 'Bearer boats-key' },
    fields: { modelName: 'boats', modelVersion: 'a' },
    code: status.UNAVAILABLE,
    reason: 'NO_INSTANCE',
  },
])('refuses $why with $reason', async ({ values, fields, code, reason }) => {
  const sent = await rawCall(platform.client, 'ModelInfer', request(fields), values);
  expect(sent.code).toBe(code);
  expect(sent.trailers.get('mooring-reason')).toEqual([reason]);
  if (reason === 'NO_INSTANCE') expect(sent.trailers.get('retry-after-ms')).toEqual(['1000']);
  expect(martina.calls).toHaveLength(0);
});

it('takes the new key within a second of its regeneration while the other one goes on working', async () => {
  await platform.setKeys('cars', 'newer-key', 'second-key');
  const infer = (authorization: string) => rawCall(platform.client, 'ModelInfer', request(), { authorization });
  await eventually(async () => (await infer('Bearer newer-key')).code === status.OK, { timeoutMs: 1_000 });
  expect((await infer('Bearer second-key')).code).toBe(status.OK);
  expect((await infer('Bearer first-key')).code).toBe(status.UNAUTHENTICATED);
  await platform.setKeys('cars', 'first-key', 'second-key');
  await servedBy('martina');
});

it('answers what names no model without a key', async () => {
  const ready = await rawCall(platform.client, 'ServerReady', Buffer.alloc(0));
  expect(ServerReadyResponse.decode(ready.body)).toEqual({ ready: true });
  for (const method of ['ServerLive', 'ServerMetadata'])
    expect((await rawCall(platform.client, method, Buffer.alloc(0))).code).toBe(status.OK);
});

it('says whether a model is ready; not ready is an answer, unknown is an error', async () => {
  const ask = async (name: string, version: string, authorization = key.authorization) => {
    const sent = await rawCall(
      platform.client,
      'ModelReady',
      Buffer.from(ModelReadyRequest.encode({ name, version }).finish()),
      { authorization },
    );
    return sent.code === status.OK ? ModelReadyResponse.decode(sent.body).ready : sent.code;
  };
  expect(await ask('cars', 'luca')).toBe(true);
  expect(await ask('boats', 'a', 'Bearer boats-key')).toBe(false);
  expect(await ask('boats', '', 'Bearer boats-key')).toBe(false);
  expect(await ask('cars', 'nope')).toBe(status.NOT_FOUND);
});

it('adds the statistics of all instances up, per deployment', async () => {
  const ask = async (name: string) => {
    const message = Buffer.from(ModelStatisticsRequest.encode({ name, version: '' }).finish());
    const sent = await rawCall(platform.client, 'ModelStatistics', message, key);
    return ModelStatisticsResponse.decode(sent.body).modelStats.map((s) => [
      s.name,
      s.version,
      s.inferenceCount,
      s.lastInference,
    ]);
  };
  const wanted = [
    ['cars', 'martina', 3, 5],
    ['cars', 'luca', 6, 5],
  ];
  expect(await ask('cars')).toEqual(wanted);
  expect(await ask('')).toEqual(wanted);
});

it('passes metadata and configuration on and lists only what the key opens', async () => {
  const named = (codec: 'ModelMetadata' | 'ModelConfig') =>
    rawCall(
      platform.client,
      codec,
      Buffer.from(ModelReadyRequest.encode({ name: 'cars', version: 'luca' }).finish()),
      key,
    );
  expect(ModelMetadataResponse.decode((await named('ModelMetadata')).body)).toMatchObject({
    name: 'cars',
    versions: ['luca'],
  });
  expect((await named('ModelConfig')).code).toBe(status.OK);
  const list = async (ready: boolean, authorization: string) => {
    const message = Buffer.from(RepositoryIndexRequest.encode({ repositoryName: '', ready }).finish());
    const sent = await rawCall(platform.client, 'RepositoryIndex', message, { authorization });
    return RepositoryIndexResponse.decode(sent.body).models.map(
      ({ name, version, state }) => `${name}/${version} ${state}`,
    );
  };
  expect(await list(false, key.authorization)).toEqual(['cars/martina READY', 'cars/luca READY']);
  expect(await list(false, 'Bearer boats-key')).toEqual(['boats/a UNAVAILABLE']);
  expect(await list(true, 'Bearer boats-key')).toEqual([]);
  const load = Buffer.from(
    RepositoryModelLoadRequest.encode({ repositoryName: '', modelName: 'x', parameters: {} }).finish(),
  );
  const refused = await rawCall(platform.client, 'RepositoryModelLoad', load, key);
  expect(refused.code).toBe(status.UNIMPLEMENTED);
  expect(refused.details).toContain('mooring online-deployment create');
});

it('gives a call to the other instance when one drains, and answers 503 when the model may have started', async () => {
  luca[0]?.stream.drain();
  const answers = await Promise.all(
    Array.from({ length: 40 }, () => rawCall(platform.client, 'ModelInfer', request({ modelVersion: 'luca' }), key)),
  );
  expect(answers.map(({ code }) => code)).toEqual(Array(40).fill(status.OK));
  const started = Promise.withResolvers<void>();
  answer = () => {
    started.resolve();
    return new Promise(() => {});
  };
  const stuck = rawCall(platform.client, 'ModelInfer', request({ modelVersion: 'luca' }), key);
  await started.promise;
  await Promise.all(luca.map((scorer) => scorer.stop()));
  const lost = await stuck;
  expect(lost.code).toBe(status.UNAVAILABLE);
  expect(lost.trailers.get('mooring-reason')).toEqual(['INSTANCE_LOST']);
  answer = (call, _signal, id) => scored(call, id);
  luca = [
    await startTestScorer(platform.folder, 'luca', 'l3', answerer('l3')),
    await startTestScorer(platform.folder, 'luca', 'l4', answerer('l4')),
  ];
  for (const scorer of luca) await platform.announce(scorer);
  for (const id of ['l1', 'l2']) await platform.instances.delete(kvKey('cars', 'luca', id));
  await servedBy('luca');
});

it('replaces an instance under load without losing a request: ready first, then draining, then gone', async () => {
  let open = true;
  const codes: number[] = [];
  const load = Array.from({ length: 8 }, async () => {
    while (open) codes.push((await rawCall(platform.client, 'ModelInfer', request(), key)).code);
  });
  const old = martina;
  martina = await startTestScorer(platform.folder, 'martina', 'm2', answerer('m2'));
  await platform.announce(martina);
  await eventually(() => martina.calls.length > 20);
  old.stream.drain();
  await platform.announce(old, 'draining');
  await eventually(() => old.openNow === 0 && old.stream.streams() === 0);
  await old.stop();
  await platform.instances.delete(kvKey('cars', 'martina', 'm1'));
  const before = martina.calls.length;
  await eventually(() => martina.calls.length > before + 50);
  open = false;
  await Promise.all(load);
  expect(codes.filter((code) => code !== status.OK)).toEqual([]);
  console.log(`rolling replacement: ${codes.length} requests, 0 lost`);
});

it("passes the caller's deadline and its going away on to the instance", async () => {
  const started: number[] = [];
  answer = (call, signal) => {
    started.push(call.deadlineMs);
    return new Promise((resolve) =>
      signal.addEventListener('abort', () => resolve(reply({ errorCode: 'cancelled' })), { once: true }),
    );
  };
  const late = await rawCall(platform.client, 'ModelInfer', request(), key, { deadline: Date.now() + 200 });
  expect(late.code).toBe(status.DEADLINE_EXCEEDED);
  expect(started[0]).toBeLessThanOrEqual(200);
  await eventually(() => martina.aborted >= 1);
});

it('goes on serving while NATS is gone, and takes in what changed once it is back', async () => {
  await nats.pause();
  for (let i = 0; i < 50; i += 1)
    expect((await rawCall(platform.client, 'ModelInfer', request(), key)).code).toBe(status.OK);
  expect(platform.router.ready()).toBe(true);
  await nats.resume();
  await eventually(() => platform.routing.delete('boats').then(() => true), { timeoutMs: 10_000 });
  const boats = () =>
    rawCall(platform.client, 'ModelInfer', request({ modelName: 'boats' }), { authorization: 'Bearer boats-key' });
  await eventually(async () => (await boats()).trailers.get('mooring-reason')[0] === 'ENDPOINT_NOT_FOUND', {
    timeoutMs: 15_000,
  });
  await platform.routing.put('boats', routing({ endpoint: 'boats', names: ['a'], traffic: {} }));
  await eventually(async () => (await boats()).trailers.get('mooring-reason')[0] === 'NO_TRAFFIC');
});

it('serves a gateway in another process by its own scoring socket', async () => {
  const stream = openScoringStream({ address: `unix:${platform.folder}/router.sock`, log: silent });
  await stream.whenReady(AbortSignal.timeout(5_000));
  const body = request({ id: 'via-socket' });
  const answered = await stream.score(
    scoreCall({ operation: Operation.OPERATION_INFER, protocol: 3, deployment: 'luca', modelName: 'cars', body }),
    AbortSignal.timeout(5_000),
  );
  expect(answered).toMatchObject({ errorCode: '', deployment: 'luca', pick: 'pin', retries: 0 });
  expect(answered.instanceId).toMatch(/^l[34]$/);
  expect(ModelInferResponse.decode(answered.body).id).toBe('via-socket');
  expect(await stream.score(scoreCall({ endpoint: 'nope' }), AbortSignal.timeout(5_000))).toMatchObject({
    errorReason: 'ENDPOINT_NOT_FOUND',
  });
  await stream.close(AbortSignal.timeout(1_000));
});

it('writes the mirror report to the store', async () => {
  await platform.routing.put('cars', routing({ mirrorTraffic: { luca: 50 } }));
  const reports = await platform.store.bucket<MirrorReportRecord>('mooring_mirror');
  const report = await eventually(async () => {
    await rawCall(platform.client, 'ModelInfer', request(), key);
    const found = await reports.get(kvKey('cars', 'luca', 'router'));
    if (!found || found.value.compared.differs < 5) throw new Error('not yet');
    return found.value;
  });
  expect(report).toMatchObject({ endpoint: 'cars', deployment: 'luca', dropped: 0, compared: { equal: 0, failed: 0 } });
  expect(report.recentDifferences[0]).toMatchObject({ result: 'differs', where: 'by' });
  expect(report.latencyDeltaMs.count).toBeGreaterThanOrEqual(5);
  await platform.routing.put('cars', routing());
});
