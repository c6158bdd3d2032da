import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { batchWork, commit, jobFiles, jobKey, readMiniBatch } from '@mooring/batch-jobs';
import { BatchServiceClient } from '@mooring/contracts/batch';
import {
  batchJobDefaults,
  jobsBucket,
  miniBatchesBucket,
  type BatchDeploymentSpec,
  type JobRecord,
  type JobVerification,
  type MiniBatch,
  type MiniBatchMessage,
  type MiniBatchRecord,
  type PartFile,
} from '@mooring/domain';
import type { PlatformError } from '@mooring/errors';
import type { Nats, WorkQueue } from '@mooring/messaging';
import { createClient, type RpcClient } from '@mooring/rpc';
import type { Lifecycle } from '@mooring/runtime';
import { metrics, startTracing, type Tracing } from '@mooring/telemetry';
import {
  eventually,
  startTestNats,
  startTraceCollector,
  tempDir,
  type TestNats,
  type TraceCollector,
} from '@mooring/testing';
import { createJobService, type JobServiceOptions } from './job-service.ts';
import { createJobBook } from './run/job-book.ts';
import { Retention } from './run/retention.ts';

const silent = pino({ enabled: false });
const folder = tempDir('jobs-');
const artifacts = join(folder.path, 'artifacts');
const jobs = join(folder.path, 'jobs');
const address = `unix:${join(folder.path, 'batch.sock')}`;

const deployment: BatchDeploymentSpec = {
  type: 'model',
  tags: {},
  properties: {},
  model: 'cars/1',
  code: { codeKey: 'code/1', scoringScript: 'score.py' },
  environmentVariables: {},
  compute: 'azureml:pool',
  job: { ...batchJobDefaults, miniBatchSize: 2 },
};

let server: TestNats;
let nats: Nats;
let options: JobServiceOptions;
let service: Lifecycle;
let collector: TraceCollector;
let tracing: Tracing;
let web: { host: string; close: () => void };
let client: RpcClient<BatchServiceClient>;
let work: WorkQueue<MiniBatchMessage>;

beforeAll(async () => {
  server = await startTestNats();
  nats = await server.connect();
  web = await serveRows();
  collector = await startTraceCollector();
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url);
  vi.stubEnv('OTEL_BSP_SCHEDULE_DELAY', '100');
  tracing = await startTracing('batch-scheduler', process.env);
  mkdirSync(join(artifacts, 'photos', 'night', 'b'), { recursive: true });
  for (const name of ['a.png', 'b/c.png', 'b/d.png', 'e.png', 'f.png']) {
    writeFileSync(join(artifacts, 'photos', 'night', name), name);
  }
  work = await nats.workQueue<MiniBatchMessage>(batchWork);
  options = {
    address,
    folder: { artifacts, jobs },
    activeJobsMax: 2,
    queuedJobsMax: 1_000,
    tracing,
    filesKeptDays: 30,
    jobsKeptDays: 365,
    syncsAlways: true,
    lazySyncAllowed: false,
    input: { hosts: web.host, bytesMax: 1_000, timeoutS: 10 },
    catalog: {
      endpoint: async (name) => {
        if (name !== 'night') return undefined;
        return { name, spec: { tags: {}, properties: {}, authMode: 'aad_token', defaultDeployment: 'luca' } };
      },
      deployment: async (_endpoint, name) => {
        const properties = name === 'eager' ? { 'mooring.batch.priority': '9' } : {};
        return name === 'none' ? undefined : { name, spec: { ...deployment, properties } };
      },
      asset: async () => undefined,
      latest: async () => undefined,
    },
    launches: {
      prepare: async () => ({
        runtime: { kind: 'python', interpreter: 'python3', codeDir: '/', scoringScript: 'score.py', workerCount: 1 },
        codeDigest: 'c0de',
        environmentVariables: {},
        limits: { cpu: 1, memoryMib: 256 },
        warnings: [],
      }),
    },
  };
  service = createJobService(options, nats, silent);
  await service.start?.();
  client = createClient(BatchServiceClient, address);
});

afterAll(async () => {
  client.close();
  await service.stop?.(AbortSignal.timeout(5_000), 'asked');
  await tracing.shutdown();
  collector.close();
  web.close();
  vi.unstubAllEnvs();
  await server.stop();
  folder.remove();
});

/** Gives `rows.csv` to whoever has its signature. */
async function serveRows(): Promise<{ host: string; close: () => void }> {
  const rows = createServer(({ url }, response) => {
    // Has no end.
    if (url === '/slow.csv') response.write('a\n');
    else if (url === '/rows.csv?sig=secret') response.end('a\n1\n');
    else response.writeHead(403).end();
  });
  await new Promise<void>((resolve) => rows.listen(0, '127.0.0.1', resolve));
  return { host: `127.0.0.1:${(rows.address() as AddressInfo).port}`, close: () => rows.close() };
}

function bodyOf(extra: object = {}, uri = 'azureml://datastores/photos/paths/night'): string {
  return JSON.stringify({ properties: { InputData: { raw: { JobInputType: 'UriFolder', Uri: uri } }, ...extra } });
}

async function submit(
  jobJson: string,
  idempotencyKey = '',
  traceparent = '',
): Promise<JobRecord & { created: boolean }> {
  const answer = await client.call(
    'submitJob',
    {
      endpoint: 'night',
      jobJson,
      deployment: '',
      idempotencyKey,
      principal: 'spec',
    },
    // A thousand may come at once.
    { metadata: { traceparent }, deadlineMs: 30_000 },
  );
  return { ...(JSON.parse(answer.jobJson) as JobRecord), created: answer.created };
}

async function jobNamed(name: string): Promise<JobRecord> {
  return JSON.parse((await client.call('getJob', { name })).jobJson) as JobRecord;
}

async function until(name: string, status: JobRecord['status']): Promise<JobRecord> {
  return eventually(async () => {
    const job = await jobNamed(name);
    expect(job.status).toBe(status);
    return job;
  });
}

async function verify(name: string): Promise<JobVerification> {
  return JSON.parse((await client.call('verifyJob', { name })).verificationJson) as JobVerification;
}

/** Does what a worker does with one mini-batch: writes a part, then makes its record. */
async function score(job: string, worker: string, batch: MiniBatch, meanwhile?: () => void): Promise<boolean> {
  const files = jobFiles(jobs, job);
  const text = (batch.files ?? []).map(({ path }) => `${path} by ${worker}\n`).join('');
  const part: PartFile = {
    file: `${batch.index}.${worker}.part`,
    bytes: text.length,
    lines: batch.items,
    sha256: createHash('sha256').update(text).digest('hex'),
  };
  writeFileSync(join(files.parts, part.file), text);
  meanwhile?.();
  const startedAt = new Date(0).toISOString();
  const endedAt = new Date(1_500).toISOString();
  const counts = { items: batch.items, succeeded: batch.items, failed: 0, skipped: 0, runs: 1, bytes: text.length };
  const record = { index: batch.index, attempt: batch.attempt, ...counts, part, worker, startedAt, endedAt };
  return commit(await nats.bucket<MiniBatchRecord>(miniBatchesBucket), job, files, record);
}

async function scoreNext(job: string, worker: string, meanwhile?: () => void): Promise<MiniBatch | undefined> {
  const item = await work.take(jobKey(job), 1_000);
  if (item === undefined) return undefined;
  const batch = await readMiniBatch(jobFiles(jobs, job), item.value);
  await score(job, worker, batch, meanwhile);
  await item.done();
  return batch;
}

/** The queue of a job that begins again is closed in between. */
async function scoreSoon(job: string, worker: string, meanwhile?: () => void): Promise<void> {
  await eventually(async () => expect(await scoreNext(job, worker, meanwhile)).toBeDefined());
}

describe('batch jobs', () => {
  it('are made once however often a request with an idempotency key comes', async () => {
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => submit(bodyOf(), 'night-1')));
    expect(new Set(answers.map(({ name }) => name)).size).toBe(1);
    expect(answers.filter(({ created }) => created).length).toBe(1);
    await expect(submit(bodyOf({ miniBatchSize: 1 }), 'night-1')).rejects.toMatchObject({ reason: 'JOB_EXISTS' });
    await client.call('cancelJob', { name: answers[0]?.name ?? '' });
  });

  it('are the same job in either spelling of the contract', async () => {
    const uri = 'azureml://datastores/photos/paths/out/predictions.csv';
    const OutputData = { score: { JobOutputType: 'UriFile', Uri: uri } };
    const first = await submit(bodyOf({ OutputData, MiniBatchSize: 3, Compute: { InstanceCount: 2 } }), 'spelling');
    const inputData = { UriFolder: { jobInputType: 'uri_folder', uri: 'azureml://datastores/photos/paths/night' } };
    const outputData = { output_name: { jobOutputType: 'UriFile', uri } };
    const compute = { isLocal: true, instanceCount: 2 };
    const sdk = { properties: { inputData, outputData, miniBatchSize: 3, compute } };
    const second = await submit(JSON.stringify(sdk), 'spelling');
    expect([second.name, second.created]).toEqual([first.name, false]);
    expect(first.settings).toMatchObject({ miniBatchSize: 3, instanceCount: 2 });
    await client.call('cancelJob', { name: first.name });
  });

  it('write every item once, in the order of the input, and prove it', async () => {
    const { name, description } = await submit(bodyOf({ name: 'ordered', description: 'all of them' }));
    expect(description).toBe('all of them');
    const { listing } = await until(name, 'Running');
    expect(listing).toMatchObject({ files: 5, items: 5, miniBatches: 3, itemKind: 'files' });
    const batch = (await scoreNext(name, 'one')) as MiniBatch;
    // A second worker on the same mini-batch is too late.
    expect(await score(name, 'two', batch)).toBe(false);
    for (let left = 2; left > 0; left -= 1) await scoreNext(name, 'one');
    const job = await until(name, 'Completed');
    expect(job.progress).toMatchObject({ succeeded: 5, failed: 0, skipped: 0, miniBatchesDone: 3 });
    const proof = await verify(name);
    expect(proof).toMatchObject({ ok: true, missing: 0, twice: 0, items: { in: 5, succeeded: 5 }, problems: [] });
    const lines = ['a.png', 'b/c.png', 'b/d.png', 'e.png', 'f.png'].map((path) => `${path} by one\n`);
    expect(job.usage).toEqual({ instanceS: 4.5, items: 5, bytes: lines.join('').length });
    const output = join(artifacts, job.output.container, job.output.folder, 'predictions.csv');
    appendFileSync(output, 'more\n');
    expect((await verify(name)).ok).toBe(false);
    rmSync(output);
    rmSync(join(output, '..', 'parts.jsonl'));
    const { ok, problems } = await verify(name);
    expect([
      ok,
      problems.filter((problem) => /^(predictions.csv|parts.jsonl) cannot be read/.test(problem)).length,
    ]).toEqual([false, 2]);
    writeFileSync(join(output, '..', 'manifest.json'), '5');
    await expect(verify(name)).rejects.toMatchObject({ reason: 'NO_MANIFEST' });
  });

  it('keep what is done when they are cancelled, and do only the rest when they are resumed', async () => {
    const { name } = await submit(bodyOf({ name: 'cut-short' }));
    await until(name, 'Running');
    const first = (await scoreNext(name, 'one')) as MiniBatch;
    await client.call('cancelJob', { name });
    const job = await until(name, 'Canceled');
    expect(job.progress).toMatchObject({ succeeded: first.items, failed: 0, skipped: 5 - first.items });
    // One that comes back from the dead finds its mini-batch closed.
    const late = { ...first, index: first.index === 0 ? 1 : 0 };
    expect(await score(name, 'late', late)).toBe(false);
    expect(await verify(name)).toMatchObject({ ok: true, missing: 0, twice: 0 });
    await client.call('resumeJob', { name });
    await until(name, 'Running');
    const rest = [await scoreNext(name, 'two'), await scoreNext(name, 'two')];
    expect(rest.map((batch) => batch?.index)).not.toContain(first.index);
    // Of both attempts.
    expect((await until(name, 'Completed')).usage).toMatchObject({ instanceS: 4.5, items: 5 });
    expect(await verify(name)).toMatchObject({ ok: true, items: { in: 5, succeeded: 5, skipped: 0 } });
  });

  it('run a mini-batch again whose part was damaged or lost, and fail where that has no end', async () => {
    const { name } = await submit(bodyOf({ name: 'damaged', miniBatchSize: 5 }));
    await until(name, 'Running');
    const { parts } = jobFiles(jobs, name);
    await scoreSoon(name, 'one', () => writeFileSync(join(parts, '0.one.part'), 'evil\n'));
    await scoreSoon(name, 'two', () => rmSync(join(parts, '0.two.part')));
    await scoreSoon(name, 'three');
    await until(name, 'Completed');
    expect(await verify(name)).toMatchObject({ ok: true, items: { in: 5, succeeded: 5 } });

    const ever = await submit(bodyOf({ name: 'damaged-ever', miniBatchSize: 5 }));
    await until(ever.name, 'Running');
    for (let times = 1; times <= 5; times += 1) {
      const path = join(jobFiles(jobs, ever.name).parts, `0.w${times}.part`);
      await scoreSoon(ever.name, `w${times}`, () => writeFileSync(path, 'evil\n'));
    }
    const job = await until(ever.name, 'Failed');
    expect(job.error).toMatchObject({ code: 'PART_DAMAGED', message: expect.stringMatching(/AZUREML_BI_OUTPUT_PATH/) });
    await client.call('resumeJob', { name: ever.name });
    await until(ever.name, 'Running');
    await scoreSoon(ever.name, 'last');
    await until(ever.name, 'Completed');
    expect(await verify(ever.name)).toMatchObject({ ok: true, items: { in: 5, succeeded: 5 } });
  });

  it('fail where their work files are gone, instead of waiting for them', async () => {
    const { name } = await submit(bodyOf({ name: 'lost' }));
    await until(name, 'Running');
    rmSync(jobFiles(jobs, name).root, { recursive: true });
    const job = await eventually(
      async () => {
        const now = await jobNamed(name);
        expect(now.status).toBe('Failed');
        return now;
      },
      { timeoutMs: 20_000 },
    );
    expect(job.error).toMatchObject({ code: 'JOB_FILES_LOST' });
    await client.call('resumeJob', { name });
    expect((await until(name, 'Failed')).attempt).toBe(2);
  });

  it('end though scripts wrote files that cannot be stored as they are called, and say which those are', async () => {
    const { name, output } = await submit(bodyOf({ name: 'own-files', miniBatchSize: 5 }));
    await until(name, 'Running');
    const { scriptOutput } = jobFiles(jobs, name);
    mkdirSync(join(scriptOutput, 'predictions.csv'), { recursive: true });
    for (const file of ['fine.txt', 'two\nlines', 'manifest.json', 'predictions.csv/x']) {
      writeFileSync(join(scriptOutput, file), file);
    }
    symlinkSync('/etc/passwd', join(scriptOutput, 'link'));
    await scoreNext(name, 'one');
    await until(name, 'Completed');
    expect(await verify(name)).toMatchObject({ ok: true, problems: [] });
    const read = (file: string): unknown =>
      JSON.parse(readFileSync(join(artifacts, output.container, output.folder, file), 'utf8'));
    expect(read('manifest.json')).toMatchObject({ scriptFiles: [{ file: 'fine.txt' }] });
    expect(read('summary.json')).toMatchObject({
      scriptFilesLeftOut: ['link', 'manifest.json', 'predictions.csv/x', 'two\nlines'].map((file) => ({ file })),
    });
  });

  it('end though a script put a link in the place of its folder, and nothing behind that is theirs', async () => {
    const { name, output } = await submit(bodyOf({ name: 'linked', miniBatchSize: 5 }));
    await until(name, 'Running');
    const { scriptOutput } = jobFiles(jobs, name);
    rmSync(scriptOutput, { recursive: true });
    symlinkSync('/etc', scriptOutput);
    await scoreNext(name, 'one');
    await until(name, 'Completed');
    expect(await verify(name)).toMatchObject({ ok: true, problems: [] });
    const summary = readFileSync(join(artifacts, output.container, output.folder, 'summary.json'), 'utf8');
    expect(JSON.parse(summary)).toMatchObject({ scriptFilesLeftOut: [{ file: '.' }] });
  });

  it('fail where the place of their output refuses it, and write it when they are resumed and it does no more', async () => {
    const outputData = { score: { jobOutputType: 'UriFolder', uri: 'azureml://datastores/photos/paths/plain' } };
    const { name } = await submit(bodyOf({ name: 'no-place', miniBatchSize: 5, outputData }));
    writeFileSync(join(artifacts, 'photos', 'plain'), 'a file where a folder should be');
    await until(name, 'Running');
    await scoreNext(name, 'one');
    expect((await until(name, 'Failed')).error).toMatchObject({ code: 'ARTIFACT_PATH_CONFLICT' });
    rmSync(join(artifacts, 'photos', 'plain'));
    await client.call('resumeJob', { name });
    await until(name, 'Completed');
    expect(await verify(name)).toMatchObject({ ok: true, items: { in: 5, succeeded: 5 } });
  });

  it('are refused a place that another one writes to, unless that one ended before it had written anything', async () => {
    const outputData = { score: { jobOutputType: 'UriFolder', uri: 'azureml://datastores/photos/paths/shared' } };
    const bodies = Array.from({ length: 10 }, (_, at) => bodyOf({ name: `placed-${at}`, outputData }));
    const answers = await Promise.allSettled(bodies.map((body) => submit(body)));
    const reasons = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as PlatformError] : []));
    expect(reasons.map(({ reason }) => reason)).toEqual(Array(9).fill('OUTPUT_EXISTS'));
    const made = answers.findIndex(({ status }) => status === 'fulfilled');
    const { name } = await until(`placed-${made}`, 'Running');
    await client.call('cancelJob', { name });
    await until(name, 'Canceled');
    await expect(submit(bodyOf({ name: 'late', outputData }))).rejects.toMatchObject({ reason: 'OUTPUT_EXISTS' });
    // Nothing of this one is listed.
    const nowhere = 'azureml://datastores/photos/paths/nowhere';
    const elsewhere = { score: { jobOutputType: 'UriFolder', uri: 'azureml://datastores/photos/paths/free' } };
    const failed = await submit(bodyOf({ name: 'failed-early', outputData: elsewhere }, nowhere));
    await until(failed.name, 'Failed');
    const next = await submit(bodyOf({ name: 'in-its-place', outputData: elsewhere }));
    await expect(client.call('resumeJob', { name: failed.name })).rejects.toMatchObject({ reason: 'OUTPUT_EXISTS' });
    await client.call('cancelJob', { name: next.name });
    await until(next.name, 'Canceled');
  });

  it('have a trace below the request that made them, with a span for each status and one for the whole', async () => {
    const caller = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`;
    const { name, traceparent } = await submit(bodyOf({ name: 'traced' }), '', caller);
    await until(name, 'Running');
    for (let left = 3; left > 0; left -= 1) await scoreNext(name, 'one');
    const { createdAt } = await until(name, 'Completed');
    const own = await eventually(async () => {
      const spans = collector.spans.filter(({ traceId }) => traceId === 'c'.repeat(32));
      expect(spans.map((span) => span.name)).toEqual([
        'batch submit',
        'batch queue',
        'batch prepare',
        'batch run',
        'batch finalize',
        'batch job',
      ]);
      return spans;
    });
    expect(traceparent).toBe(`00-${'c'.repeat(32)}-${own[0]?.spanId}-01`);
    expect(own.map(({ parentSpanId }) => parentSpanId)).toEqual(['d'.repeat(16), ...Array(5).fill(own[0]?.spanId)]);
    expect(BigInt(own.at(-1)?.startTimeUnixNano ?? 0)).toBe(BigInt(Date.parse(createdAt)) * 1_000_000n);
  });

  it('show in the metrics how old the oldest is and how many mini-batches are open, until they end', async () => {
    const { name } = await submit(bodyOf({ name: 'measured' }));
    await until(name, 'Running');
    await scoreNext(name, 'one');
    await eventually(async () => {
      const { values } = await metrics.batchMiniBatches.get();
      expect(values.map(({ labels: { state }, value }) => [state, value])).toEqual([
        ['done', 1],
        ['open', 2],
      ]);
    });
    expect((await metrics.batchJobAge.get()).values[0]?.value).toBeGreaterThan(0);
    await client.call('cancelJob', { name });
    await until(name, 'Canceled');
    await eventually(async () => expect((await metrics.batchJobAge.get()).values).toEqual([]));
    const { values } = await metrics.batchItems.get();
    expect(values.find(({ labels }) => labels.result === 'skipped')?.value).toBeGreaterThan(0);
  });

  it('wait in a queue that says where each is, by priority and the order in which they came', async () => {
    const names = ['first', 'second', 'third', 'fourth'];
    for (const name of names) await submit(bodyOf({ name }));
    await until('first', 'Running');
    await until('second', 'Running');
    await eventually(async () => {
      const waiting = await Promise.all(['third', 'fourth'].map((name) => jobNamed(name)));
      expect(waiting.map(({ progress }) => progress.queuePosition)).toEqual([0, 1]);
    });
    // One with a higher priority comes before them.
    const ask = { endpoint: 'night', deployment: 'eager', idempotencyKey: '', principal: 'spec' };
    await client.call('submitJob', { ...ask, jobJson: bodyOf({ name: 'fifth' }) });
    names.push('fifth');
    await eventually(async () => {
      const waiting = await Promise.all(['fifth', 'third'].map((name) => jobNamed(name)));
      expect(waiting.map(({ progress }) => progress.queuePosition)).toEqual([0, 1]);
    });
    await client.call('cancelJob', { name: 'first' });
    await until('fifth', 'Running');
    await client.call('cancelJob', { name: 'second' });
    await until('third', 'Running');
    for (const name of names) await client.call('cancelJob', { name });
    for (const name of names) await until(name, 'Canceled');
  });

  it('fail with a reason where there is nothing to score', async () => {
    const { name } = await submit(bodyOf({}, 'azureml://datastores/photos/paths/night/*.csv'));
    expect((await until(name, 'Failed')).error).toMatchObject({ code: 'INPUT_EMPTY' });
  });

  it('take a file of the web, and keep no signature of its address', async () => {
    const { name } = await submit(bodyOf({}, `http://${web.host}/rows.csv?sig=secret`));
    const job = await until(name, 'Running');
    expect(job.input.uri).toBe(`http://${web.host}/rows.csv?...`);
    const batch = await scoreNext(name, 'one');
    expect(batch?.files?.map(({ path, bytes }) => [path, bytes])).toEqual([['rows.csv', 4]]);
    expect(readFileSync(batch?.files?.[0]?.localPath ?? '', 'utf8')).toBe('a\n1\n');
    await until(name, 'Completed');
    expect((await verify(name)).ok).toBe(true);
  });

  it('are cancelled while their input is still being fetched', async () => {
    const { name } = await submit(bodyOf({}, `http://${web.host}/slow.csv`));
    await until(name, 'Preparing');
    await client.call('cancelJob', { name });
    await until(name, 'Canceled');
  });

  it('fail where a file of the web cannot be had, without its signature in the reason', async () => {
    const { name } = await submit(bodyOf({}, `http://${web.host}/rows.csv?sig=wrong`));
    const { error, input } = await until(name, 'Failed');
    expect(error?.code).toBe('INPUT_NOT_FETCHED');
    expect(error?.message).toContain('answered 403');
    expect(JSON.stringify([error, input])).not.toContain('wrong');
  });

  it.each([
    ['no JSON', '{', 'INVALID'],
    ['no input', '{"properties":{}}', 'exactly one input'],
    [
      'two inputs',
      '{"properties":{"inputData":{"a":{"jobInputType":"UriFile","uri":"azureml:a:1"},"b":{"jobInputType":"UriFile","uri":"azureml:b:1"}}}}',
      'exactly one',
    ],
    ['a literal', '{"properties":{"inputData":{"a":{"jobInputType":"Literal","value":1}}}}', 'UriFolder or UriFile'],
    ['a path out of its container', bodyOf({}, 'azureml://datastores/photos/paths/../x'), 'no place'],
    ['a host that is not listed', bodyOf({}, 'http://169.254.169.254/latest'), 'MOORING_BATCH_INPUT_HOSTS'],
    ['no address at all', bodyOf({}, 'https://'), 'no place'],
    ['a folder of this machine', bodyOf({}, '/etc'), 'uploaded first'],
    ['no whole mini-batch', bodyOf({ miniBatchSize: 0 }), 'miniBatchSize'],
    ['a file name with folders', bodyOf({ outputFileName: '../x' }), 'outputFileName'],
  ])('are refused with what to do: %s', async (_what, body, words) => {
    await expect(submit(body)).rejects.toMatchObject({ code: 'invalid_argument' });
    if (words !== 'INVALID') await expect(submit(body)).rejects.toThrow(words);
  });

  it('lose their work files in time, and their document later; their output stays, and is proven as far as that goes', async () => {
    const { name } = await submit(bodyOf({ name: 'old' }));
    await until(name, 'Running');
    await scoreNext(name, 'one');
    await client.call('cancelJob', { name });
    const { output } = await until(name, 'Canceled');
    const bucket = await nats.bucket<JobRecord>(jobsBucket);
    const records = await nats.bucket<MiniBatchRecord>(miniBatchesBucket);
    const later = async (days: number): Promise<void> => {
      const clock = (): Date => new Date(Date.now() + days * 86_400_000);
      const own = { book: createJobBook(bucket), jobs: bucket, records, jobsFolder: jobs, clock, log: silent };
      await new Retention({ ...own, filesKeptDays: 30, jobsKeptDays: 365 }).look();
    };
    await later(29);
    expect((await records.list(jobKey(name))).size).toBe(3);
    await later(31);
    expect((await records.list(jobKey(name))).size).toBe(0);
    expect(existsSync(jobFiles(jobs, name).root)).toBe(false);
    const proof = await verify(name);
    expect(proof).toMatchObject({ ok: true, missing: 0, problems: [] });
    expect(proof.notes.join()).toContain('compared with its manifest alone');
    await expect(client.call('resumeJob', { name })).rejects.toMatchObject({ reason: 'JOB_FILES_REMOVED' });
    expect((await client.call('getJobLogs', { name, tail: 0 })).content).toContain('were removed');
    await later(366);
    await expect(client.call('getJob', { name })).rejects.toMatchObject({ reason: 'JOB_NOT_FOUND' });
    expect(existsSync(join(artifacts, output.container, output.folder, 'manifest.json'))).toBe(true);
  });

  it('are refused where NATS may lose what it acknowledged, unless that is allowed', async () => {
    const outcomeOf = async (other: Partial<JobServiceOptions>): Promise<unknown> => {
      const own = `unix:${join(folder.path, 'other.sock')}`;
      const lazy = createJobService({ ...options, ...other, syncsAlways: false, address: own }, nats, silent);
      await lazy.start?.();
      const asking = createClient(BatchServiceClient, own);
      const ask = { endpoint: 'night', deployment: '', idempotencyKey: '', principal: 'spec', jobJson: bodyOf() };
      try {
        return await asking.call('submitJob', ask).catch((error: unknown) => error);
      } finally {
        asking.close();
        await lazy.stop?.(AbortSignal.timeout(5_000), 'asked');
      }
    };
    const refused = await outcomeOf({});
    expect(refused).toMatchObject({ code: 'failed_precondition', reason: 'BATCH_LAZY_SYNC' });
    expect((refused as Error).message).toContain('MOORING_BATCH_LAZY_SYNC=allow');
    expect(await outcomeOf({ lazySyncAllowed: true })).toMatchObject({ created: true });
  });
});
