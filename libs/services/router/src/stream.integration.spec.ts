import { status, type ClientDuplexStream, type StatusObject } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { ModelInferRequest, ModelInferResponse, ModelStreamInferResponse } from '@mooring/contracts/inference';
import { reply, type ScoreCall, type ScoreReply } from '@mooring/scoring-stream';
import { eventually, startTestNats, tempDir, type TestNats } from '@mooring/testing';
import { routing } from './testing/fake-instance.ts';
import { metadata, startTestPlatform, type TestPlatform } from './testing/test-platform.ts';
import { startTestScorer, type TestScorer } from './testing/test-scorer.ts';

const inFlightMax = 4;
const folder = tempDir('router-');
let nats: TestNats;
let platform: TestPlatform;
let scorer: TestScorer;
let answer: (call: ScoreCall, signal: AbortSignal) => Promise<ScoreReply> | ScoreReply;

function scored(call: ScoreCall): ScoreReply {
  const { id } = ModelInferRequest.decode(call.body);
  const response = { modelName: 'cars', modelVersion: '', id, parameters: {}, outputs: [], rawOutputContents: [] };
  return reply({ status: 200, body: Buffer.from(ModelInferResponse.encode(response).finish()) });
}

interface OpenStream {
  stream: ClientDuplexStream<Buffer, Buffer>;
  answers: ModelStreamInferResponse[];
  ended: Promise<StatusObject>;
  send(id: string, modelName?: string): void;
}

function openStream(authorization = 'Bearer k1', deadlineMs = 30_000): OpenStream {
  const same = (bytes: Buffer): Buffer => bytes;
  const path = '/inference.GRPCInferenceService/ModelStreamInfer';
  const stream = platform.client.makeBidiStreamRequest<Buffer, Buffer>(
    path,
    same,
    same,
    metadata(authorization === '' ? {} : { authorization }),
    {
      deadline: Date.now() + deadlineMs,
    },
  );
  const answers: ModelStreamInferResponse[] = [];
  stream.on('data', (message: Buffer) => answers.push(ModelStreamInferResponse.decode(message)));
  stream.on('error', () => undefined);
  const ended = new Promise<StatusObject>((resolve) => stream.on('status', resolve));
  const send = (id: string, modelName = 'cars'): void => {
    const message = { modelName, modelVersion: '', id, parameters: {}, inputs: [], outputs: [], rawInputContents: [] };
    stream.write(Buffer.from(ModelInferRequest.encode(message).finish()));
  };
  return { stream, answers, ended, send };
}

beforeAll(async () => {
  nats = await startTestNats();
  const ground = { environment: nats.environment, store: await nats.connect(), folder: folder.path };
  platform = await startTestPlatform(ground, { MOORING_ROUTER_STREAM_IN_FLIGHT_MAX: String(inFlightMax) });
  scorer = await startTestScorer(platform.folder, 'martina', 'm1', (call, signal) => answer(call, signal));
  await platform.setKeys('cars', 'k1', 'k2');
  await platform.routing.put('cars', routing());
  await platform.announce(scorer);
  answer = scored;
  await eventually(async () => {
    const probe = openStream();
    probe.send('probe');
    probe.stream.end();
    await probe.ended;
    return probe.answers[0]?.errorMessage === '';
  });
});

beforeEach(() => {
  answer = scored;
  scorer.openMost = 0;
  scorer.aborted = 0;
});

afterAll(async () => {
  await platform.stop();
  await scorer.stop();
  await nats.stop();
  folder.remove();
});

it('answers every request of a stream by its id and marks each answer as the final one', async () => {
  const open = openStream();
  for (let i = 0; i < 200; i += 1) open.send(`r${i}`);
  open.stream.end();
  expect((await open.ended).code).toBe(status.OK);
  const ids = open.answers.map(({ inferResponse }) => inferResponse?.id);
  expect(new Set(ids)).toEqual(new Set(Array.from({ length: 200 }, (_, i) => `r${i}`)));
  expect(ids).toHaveLength(200);
  for (const { errorMessage, inferResponse } of open.answers) {
    expect(errorMessage).toBe('');
    expect(inferResponse?.parameters['triton_final_response']?.parameterChoice).toEqual({
      $case: 'boolParam',
      value: true,
    });
  }
});

it('answers what fails inside the stream, with its id, and goes on', async () => {
  const open = openStream();
  open.send('bad', 'nope');
  open.stream.write(Buffer.from([0xff, 0xff, 0xff]));
  await eventually(() => open.answers.length === 2);
  open.send('good');
  await eventually(() => open.answers.length === 3);
  open.stream.end();
  expect((await open.ended).code).toBe(status.OK);
  const messages = open.answers.map(({ errorMessage }) => errorMessage);
  expect(messages.filter((message) => message.includes('ENDPOINT_NOT_FOUND'))).toHaveLength(1);
  expect(messages.filter((message) => message.includes('MALFORMED_MESSAGE'))).toHaveLength(1);
  expect(open.answers.map(({ inferResponse }) => inferResponse?.id)).toEqual(expect.arrayContaining(['bad', 'good']));
});

it('answers in the order in which requests are done', async () => {
  const first = Promise.withResolvers<void>();
  answer = async (call) => {
    if (ModelInferRequest.decode(call.body).id === 'slow') await first.promise;
    return scored(call);
  };
  const open = openStream();
  open.send('slow');
  open.send('quick');
  await eventually(() => open.answers.length === 1);
  expect(open.answers[0]?.inferResponse?.id).toBe('quick');
  first.resolve();
  open.stream.end();
  await open.ended;
  expect(open.answers[1]?.inferResponse?.id).toBe('slow');
});

it('has at most so many requests of one stream open, however many the caller sends', async () => {
  const open = openStream();
  answer = async (call) => {
    await new Promise((resolve) => setImmediate(resolve));
    return scored(call);
  };
  for (let i = 0; i < 300; i += 1) open.send(`r${i}`);
  open.stream.end();
  await open.ended;
  expect(open.answers).toHaveLength(300);
  expect(scorer.openMost).toBeLessThanOrEqual(inFlightMax);
});

it('refuses a stream without a key, and answers one with a wrong key request by request', async () => {
  expect((await openStream('').ended).code).toBe(status.UNAUTHENTICATED);
  const wrong = openStream('Bearer nope');
  wrong.send('r1');
  await eventually(() => wrong.answers.length === 1);
  expect(wrong.answers[0]?.errorMessage).toContain('KEY_INVALID');
  wrong.stream.end();
  expect((await wrong.ended).code).toBe(status.OK);
});

it('cancels what is open when the caller leaves', async () => {
  answer = (_call, signal) =>
    new Promise((resolve) =>
      signal.addEventListener('abort', () => resolve(reply({ errorCode: 'cancelled' })), { once: true }),
    );
  const open = openStream();
  for (let i = 0; i < 3; i += 1) open.send(`r${i}`);
  await eventually(() => scorer.openNow === 3);
  open.stream.cancel();
  await eventually(() => scorer.aborted === 3);
  answer = scored;
  const next = openStream();
  next.send('after');
  await eventually(() => next.answers.length === 1);
  next.stream.end();
});

it('ends open streams in good order when the router stops: what is open is answered first', async () => {
  const release = Promise.withResolvers<void>();
  answer = async (call) => {
    await release.promise;
    return scored(call);
  };
  const busy = openStream();
  const idle = openStream();
  idle.stream.write(Buffer.from([0xff]));
  busy.send('last');
  await eventually(() => scorer.openNow === 1 && idle.answers.length === 1);
  const stopped = platform.router.stop(AbortSignal.timeout(10_000));
  expect((await idle.ended).code).toBe(status.UNAVAILABLE);
  release.resolve();
  expect((await busy.ended).code).toBe(status.UNAVAILABLE);
  expect(busy.answers[0]?.inferResponse?.id).toBe('last');
  await stopped;
});
