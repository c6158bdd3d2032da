import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ModelInferRequest, ModelInferResponse } from '@mooring/contracts/inference';
import { kvKey } from '@mooring/domain';
import { Inflations } from '@mooring/overload';
import { reply } from '@mooring/scoring-stream';
import { eventually, startTestNats, tempDir, type TestNats } from '@mooring/testing';
import { routing } from './testing/fake-instance.ts';
import { framedCall } from './testing/framed-call.ts';
import { rawCall, startTestPlatform, type TestPlatform } from './testing/test-platform.ts';
import { startTestScorer, type TestScorer } from './testing/test-scorer.ts';

const mebibyte = 2 ** 20;
const key = 'Bearer first-key';
const folder = tempDir('router-');
let nats: TestNats;
let platform: TestPlatform;
let scorer: TestScorer;
/** Bytes that came out of every inflation of this process. */
let inflated = 0;

beforeAll(async () => {
  const inflate = Inflations.prototype.inflate;
  vi.spyOn(Inflations.prototype, 'inflate').mockImplementation(function counted(this: Inflations, job) {
    const take = (bytes: number, piece: Buffer): void => {
      inflated += bytes;
      job.take(bytes, piece);
    };
    return inflate.call(this, { ...job, take });
  });
  nats = await startTestNats();
  platform = await startTestPlatform({
    environment: nats.environment,
    store: await nats.connect(),
    folder: folder.path,
  });
  const answer = ModelInferResponse.encode(ModelInferResponse.fromPartial({ modelName: 'cars' })).finish();
  scorer = await startTestScorer(platform.folder, 'martina', 'm1', () =>
    reply({ status: 200, body: Buffer.from(answer) }),
  );
  await platform.setKeys('cars', 'first-key', 'second-key');
  await platform.routing.put(kvKey('cars'), routing({ names: ['martina'] }));
  await platform.announce(scorer);
  const authorization = key;
  await eventually(
    async () =>
      (await rawCall(platform.client, 'ModelInfer', request('cars', 10), { authorization })).code === status.OK,
  );
});

afterAll(async () => {
  vi.restoreAllMocks();
  await platform.stop();
  await scorer.stop();
  await nats.stop();
  folder.remove();
});

function request(modelName: string, bytes: number): Buffer {
  return Buffer.from(
    ModelInferRequest.encode(
      ModelInferRequest.fromPartial({ modelName, rawInputContents: [Buffer.alloc(bytes)] }),
    ).finish(),
  );
}

/** Sends `message` gzipped; resolves with the status and how much was inflated for it. */
async function send(message: Buffer, authorization: string | undefined, method = 'ModelInfer') {
  const before = inflated;
  const headers = { 'grpc-encoding': 'gzip', ...(authorization === undefined ? {} : { authorization }) };
  const path = `/inference.GRPCInferenceService/${method}`;
  const code = await framedCall(platform.router.grpcAddress ?? '', path, headers, gzipSync(message));
  return { code, inflated: inflated - before };
}

const firstPiece = 64 * 1024;

it('inflates nothing for a caller without a key', async () => {
  expect(await send(request('cars', 50 * mebibyte), undefined)).toEqual({ code: status.UNAUTHENTICATED, inflated: 0 });
  expect(await send(request('cars', 50 * mebibyte), undefined, 'ModelStreamInfer')).toEqual({
    code: status.UNAUTHENTICATED,
    inflated: 0,
  });
});

it.each([
  { why: 'the wrong key', model: 'cars', authorization: 'Bearer wrong', code: status.UNAUTHENTICATED },
  { why: 'no key by its form', model: 'cars', authorization: 'Basic x', code: status.UNAUTHENTICATED },
  { why: 'an endpoint that is not there', model: 'boats', authorization: key, code: status.NOT_FOUND },
  { why: 'no endpoint', model: '', authorization: key, code: status.INVALID_ARGUMENT },
])('inflates no more than the beginning for a caller with $why', async ({ model, authorization, code }) => {
  for (const method of ['ModelInfer', 'ModelStreamInfer']) {
    const sent = await send(request(model, 50 * mebibyte), authorization, method);
    expect(sent.code).toBe(code);
    expect(sent.inflated).toBeLessThanOrEqual(firstPiece);
  }
});

it('inflates only a little where no key is asked for', async () => {
  const sent = await send(Buffer.alloc(50 * mebibyte), undefined, 'ServerLive');
  expect(sent.code).toBe(status.RESOURCE_EXHAUSTED);
  expect(sent.inflated).toBeLessThanOrEqual(2 * firstPiece);
  expect((await send(Buffer.alloc(0), undefined, 'ServerLive')).code).toBe(status.OK);
});

it('serves who has the key as ever', async () => {
  for (const method of ['ModelInfer', 'ModelStreamInfer']) {
    const message = request('cars', 5 * mebibyte);
    expect(await send(message, key, method)).toEqual({ code: status.OK, inflated: message.length });
  }
});
