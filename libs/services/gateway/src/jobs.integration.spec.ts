import { gzipSync } from 'node:zlib';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  BatchServiceService,
  type BatchServiceServer,
  type ListJobsRequest,
  type SubmitJobRequest,
} from '@mooring/contracts/batch';
import { batchJobDefaults, type JobRecord } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { service, startGrpcServer, unary, type CallContext, type GrpcServer } from '@mooring/rpc';
import { tempDir } from '@mooring/testing';
import { exchangeRaw } from './testing/raw-http.ts';
import { bearer, linesOf, startTestGateway, type TestGateway } from './testing/test-gateway.ts';

const log = pino({ enabled: false });
const folder = tempDir('gateway-jobs-');
const address = `unix:${join(folder.path, 'batch.sock')}`;
const night = { authorization: `Bearer ${'n'.repeat(43)}` };
const body = JSON.stringify({
  properties: { inputData: { a: { jobInputType: 'UriFolder', uri: 'azureml:photos:1' } } },
});

const record: JobRecord = {
  name: 'job-1',
  displayName: 'job-1',
  experimentName: 'Night',
  tags: {},
  properties: {},
  endpoint: 'Night',
  deployment: 'luca',
  createdAt: '2026-01-01T00:00:00.000Z',
  createdBy: 'endpoint-key',
  fingerprint: 'f',
  input: { name: 'a', type: 'uri_folder', uri: 'azureml:photos:1' },
  output: { container: 'workspaceblobstore', folder: 'azureml/job-1/score' },
  settings: batchJobDefaults,
  model: 'cars/1',
  status: 'Queued',
  since: '2026-01-01T00:00:01.000Z',
  attempt: 1,
  pushedTo: 0,
  progress: { succeeded: 0, failed: 0, skipped: 0, miniBatchesDone: 0 },
  usage: { instanceS: 0, items: 0, bytes: 0 },
};

/** What the scheduler's place was asked, and what it answers next. */
const asked: { submit: SubmitJobRequest[]; list: ListJobsRequest[]; traceparents: unknown[] } = {
  submit: [],
  list: [],
  traceparents: [],
};
let answer: (request: SubmitJobRequest, context: CallContext) => Promise<boolean> = async () => true;
let next = '';

let scheduler: GrpcServer;
let gateway: TestGateway;

beforeAll(async () => {
  const implementation = {
    submitJob: unary(log, async (request: SubmitJobRequest, context) => {
      asked.submit.push(request);
      asked.traceparents.push(context.metadata.get('traceparent')[0]);
      return { jobJson: JSON.stringify(record), created: await answer(request, context) };
    }),
    getJob: unary(log, ({ name }: { name: string }) => {
      if (name === 'of-day') return { jobJson: JSON.stringify({ ...record, name, endpoint: 'Day' }) };
      if (name === 'job-1') return { jobJson: JSON.stringify(record) };
      throw new PlatformError('not_found', 'JOB_NOT_FOUND', `there is no job '${name}'`);
    }),
    listJobs: unary(log, (request: ListJobsRequest) => {
      asked.list.push(request);
      return { jobJson: [JSON.stringify(record)], nextPageToken: next };
    }),
  } as unknown as BatchServiceServer;
  const services = [service<BatchServiceServer>(BatchServiceService, implementation)];
  scheduler = await startGrpcServer({ address, services, log, ready: () => true });
  gateway = await startTestGateway({}, undefined, address);
});
afterAll(async () => {
  await gateway.stop();
  await scheduler.stop(AbortSignal.timeout(2_000));
  folder.remove();
});
beforeEach(() => {
  asked.submit.length = 0;
  asked.list.length = 0;
  asked.traceparents.length = 0;
  gateway.lines.length = 0;
  answer = async () => true;
  next = '';
});

const at = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${gateway.url}${path}`, { ...init, headers: { ...night, ...init.headers } });
const post = (sent: string | Buffer<ArrayBuffer>, headers: Record<string, string> = {}): Promise<Response> =>
  at('/endpoints/night/jobs', { method: 'POST', body: sent, headers });
const errorOf = async (response: Response): Promise<unknown> => ((await response.json()) as { error: unknown }).error;

describe('POST /jobs', () => {
  it('hands the body on as it is, and answers 201 with the job that was made', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const response = await post(body, { 'azureml-model-deployment': 'luca', 'Idempotency-Key': 'once', traceparent });
    expect(response.status).toBe(201);
    expect(response.headers.get('azureml-model-deployment')).toBe('luca');
    expect(response.headers.get('idempotency-replayed')).toBeNull();
    expect(await response.json()).toMatchObject({
      id: '/subscriptions/local/resourceGroups/local/providers/Microsoft.MachineLearningServices/workspaces/default/jobs/job-1',
      name: 'job-1',
      type: expect.any(String),
      properties: {
        status: 'Queued',
        inputData: { a: { jobInputType: 'UriFolder', uri: 'azureml:photos:1' } },
        outputData: { score: { uri: expect.stringMatching(/\/paths\/azureml\/job-1\/score\/predictions\.csv$/) } },
        mooring: { endpoint: 'Night', deployment: 'luca' },
      },
      systemData: { createdAt: record.createdAt },
    });
    expect(asked.submit).toEqual([
      { endpoint: 'Night', jobJson: body, deployment: 'luca', idempotencyKey: 'once', principal: 'endpoint-key' },
    ]);
    expect(asked.traceparents).toEqual([traceparent]);
    expect((await linesOf(gateway, 1))[0]).toMatchObject({
      endpoint: 'Night',
      route: '/endpoints/{name}/jobs',
      protocol: 'batch',
      status: 201,
    });
  });

  it('answers 200 and says so when an earlier request made the job', async () => {
    answer = async () => false;
    const response = await post(body);
    expect([response.status, response.headers.get('idempotency-replayed')]).toEqual([200, 'true']);
  });

  it.each([
    ['what Azure’s SDK sends', { 'repeatability_request-id': 'r1' }, 'r1'],
    ['the standard’s spelling', { 'Repeatability-Request-ID': 'r2' }, 'r2'],
    ['Idempotency-Key before all others', { 'Idempotency-Key': 'k', 'repeatability_request-id': 'r1' }, 'k'],
    ['nothing', {}, ''],
  ])('takes as the key: %s', async (_what, headers: Record<string, string>, key) => {
    expect((await post(body, headers)).status).toBe(201);
    expect(asked.submit[0]?.idempotencyKey).toBe(key);
  });

  it('is called by the host name, too', async () => {
    const head = `host: night.models.example.org\r\nauthorization: ${night.authorization}\r\ncontent-length: ${body.length}`;
    const { status } = await exchangeRaw(gateway.url, `POST /jobs HTTP/1.1\r\n${head}\r\n\r\n${body}`);
    expect(status).toBe(201);
  });

  it('opens a compressed body', async () => {
    expect((await post(gzipSync(body), { 'content-encoding': 'gzip' })).status).toBe(201);
    expect(asked.submit[0]?.jobJson).toBe(body);
  });

  it.each([
    ['a body over 1 MiB', 'x'.repeat(2 ** 20 + 1), {}, 413, 'BODY_TOO_LARGE'],
    [
      'one that is that large once it is opened',
      gzipSync('x'.repeat(2 ** 21)),
      { 'content-encoding': 'gzip' },
      413,
      '',
    ],
    ['text that is not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), {}, 400, 'BODY_INVALID'],
    ['an empty key', body, { 'repeatability_request-id': '' }, 400, 'IDEMPOTENCY_KEY_INVALID'],
    ['a key that is too long', body, { 'Idempotency-Key': 'k'.repeat(256) }, 400, 'IDEMPOTENCY_KEY_INVALID'],
    ['a deployment that is no name', body, { 'azureml-model-deployment': '../x' }, 404, 'DEPLOYMENT_NOT_FOUND'],
    ['a wrong key', body, { authorization: 'Bearer wrong' }, 401, 'KEY_INVALID'],
    ['no key', body, { authorization: '' }, 401, 'KEY_MALFORMED'],
    ['the key of another endpoint', body, bearer, 401, 'KEY_INVALID'],
  ])(
    'refuses %s before the scheduler is asked',
    async (_what, sent, headers: Record<string, string>, status, reason) => {
      const response = await post(sent as string, headers);
      expect(response.status).toBe(status);
      const error = (await errorOf(response)) as { reason: string; message: string };
      if (reason !== '') expect(error.reason).toBe(reason);
      if (status === 401) expect(error.message).toContain('mooring batch-endpoint get-credentials');
      expect(asked.submit).toEqual([]);
    },
  );

  it('answers with every problem that the scheduler finds', async () => {
    const problems = [{ path: 'properties.inputData', problem: 'is missing', expected: 'one input' }];
    answer = async () => {
      throw PlatformError.invalid('the job', problems);
    };
    const response = await post('{}');
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toMatchObject({ problems });
  });

  it('lets go of the scheduler when the caller is gone', async () => {
    const gone = new AbortController();
    let freed: Promise<void> | undefined;
    const begun = new Promise<void>((resolve) => {
      answer = (_request, { signal }) => {
        freed = new Promise<void>((free) => signal.addEventListener('abort', () => free(), { once: true }));
        resolve();
        return freed.then(() => true);
      };
    });
    const call = at('/endpoints/night/jobs', { method: 'POST', body, signal: gone.signal }).catch(() => undefined);
    await begun;
    gone.abort();
    await call;
    await freed;
    expect((await linesOf(gateway, 1))[0]).toMatchObject({ callerGone: true, status: 499 });
  });

  it('does not wait for the scheduler longer than its caller does', async () => {
    answer = (_request, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    const response = await post(body, { 'x-request-timeout-ms': '200' });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
  });
});

describe('the jobs of an endpoint', () => {
  it('are listed in pages', async () => {
    next = 'job 9';
    const response = await at('/endpoints/night/jobs?$top=7&$skipToken=job-3');
    expect(response.status).toBe(200);
    const listed = (await response.json()) as { value: { name: string }[]; nextLink: string };
    expect(listed.value.map(({ name }) => name)).toEqual(['job-1']);
    expect(asked.list).toEqual([{ endpoint: 'Night', pageSize: 7, pageToken: 'job-3' }]);
    next = '';
    expect(await (await at(listed.nextLink)).json()).not.toHaveProperty('nextLink');
    expect(asked.list[1]).toEqual({ endpoint: 'Night', pageSize: 7, pageToken: 'job 9' });
  });

  it.each(['0', '1001', 'x', ''])('refuses $top=%s', async (top) => {
    expect((await at(`/endpoints/night/jobs?$top=${top}`)).status).toBe(400);
  });

  it('are read one by one; those of another endpoint are not there', async () => {
    expect(await (await at('/endpoints/night/jobs/job-1')).json()).toMatchObject({ name: 'job-1' });
    for (const name of ['of-day', 'nothing', '%00']) {
      expect((await at(`/endpoints/night/jobs/${name}`)).status).toBe(name === '%00' ? 400 : 404);
    }
  });
});

it.each([
  ['POST', '/endpoints/cars/jobs', 404, /'cars' is an online endpoint/],
  ['POST', '/endpoints/night/score', 404, /'Night' is a batch endpoint; jobs are sent to \/endpoints\/Night\/jobs/],
  ['POST', '/endpoints/nobody/jobs', 404, /no endpoint 'nobody'/],
  ['DELETE', '/endpoints/night/jobs', 405, /GET, HEAD, POST, OPTIONS/],
  ['POST', '/endpoints/night/jobs/job-1', 405, /GET, HEAD, OPTIONS/],
  ['GET', '/endpoints/night/jobs/job-1/logs', 404, /batch endpoint/],
])('%s %s answers %d and says why', async (method, path, status, why) => {
  const response = await at(path, { method });
  expect(response.status).toBe(status);
  expect(await errorOf(response)).toMatchObject({ message: expect.stringMatching(why) });
});

it('answers 503 with Retry-After while the scheduler is away', async () => {
  const alone = await startTestGateway();
  const response = await fetch(`${alone.url}/endpoints/night/jobs`, { method: 'POST', body, headers: night });
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await errorOf(response)).toMatchObject({
    reason: 'BATCH_SCHEDULER_UNAVAILABLE',
    message: expect.stringMatching(/^the batch-scheduler service gives no answer just now/),
  });
  await alone.stop();
});
