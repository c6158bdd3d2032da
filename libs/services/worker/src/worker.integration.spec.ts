import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { batchWork, jobFiles, jobKey, jsonLines, makeJobFolders, recordKey, writeJsonLines } from '@mooring/batch-jobs';
import { HealthClient } from '@mooring/contracts/health';
import {
  batchJobDefaults,
  jobsBucket,
  miniBatchesBucket,
  type JobRecord,
  type JobStatus,
  type MiniBatch,
  type MiniBatchMessage,
  type MiniBatchRecord,
} from '@mooring/domain';
import type { Nats } from '@mooring/messaging';
import { createClient } from '@mooring/rpc';
import type { Lifecycle } from '@mooring/runtime';
import { loadSubject, metrics, startTracing, type Tracing } from '@mooring/telemetry';
import {
  eventually,
  startTestNats,
  startTraceCollector,
  tempDir,
  type TestNats,
  type TraceCollector,
} from '@mooring/testing';
import { createWorker } from './service.ts';

const patient = { timeoutMs: 25_000 };
const folder = tempDir('worker-');
const socket = join(folder.path, 'worker.sock');
const address = `unix:${socket}`;
const jobs = join(folder.path, 'jobs');
const code = join(folder.path, 'code');
const input = join(folder.path, 'input');
let server: TestNats;
let nats: Nats;
let worker: Lifecycle;
let collector: TraceCollector;
let tracing: Tracing;

beforeAll(async () => {
  server = await startTestNats();
  nats = await server.connect();
  collector = await startTraceCollector();
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url);
  vi.stubEnv('OTEL_BSP_SCHEDULE_DELAY', '100');
  tracing = await startTracing('worker', process.env);
  mkdirSync(code, { recursive: true });
  mkdirSync(input, { recursive: true });
  writeFileSync(
    join(code, 'score.py'),
    'def init(): pass\ndef run(mini_batch): return [open(p).read() for p in mini_batch]\n',
  );
  const launches = {
    prepare: async () => ({
      runtime: {
        kind: 'python' as const,
        interpreter: 'python3',
        codeDir: code,
        scoringScript: 'score.py',
        workerCount: 1,
      },
      environmentVariables: {},
      limits: { cpu: 1, memoryMib: 512 },
      warnings: ['the code is another one than was registered'],
    }),
  };
  const options = { address, folder: { jobs }, processesMax: 2, giveWay: true, ackWaitMs: 20_000, launches, tracing };
  worker = createWorker(options, nats, pino({ enabled: false }));
  await worker.start?.();
});

afterAll(async () => {
  await worker.stop?.(AbortSignal.timeout(5_000), 'asked');
  await tracing.shutdown();
  collector.close();
  vi.unstubAllEnvs();
  await server.stop();
  folder.remove();
});

const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

function jobDocument(name: string, status: JobStatus): JobRecord {
  const now = new Date().toISOString();
  return {
    name,
    displayName: name,
    experimentName: 'night',
    tags: {},
    properties: {},
    endpoint: 'night',
    deployment: 'luca',
    createdAt: now,
    createdBy: 'spec',
    fingerprint: '',
    input: { name: 'raw', type: 'uri_folder', uri: 'azureml://datastores/d/paths/p' },
    output: { container: 'd', folder: 'out' },
    settings: { ...batchJobDefaults, miniBatchSize: 2 },
    model: 'cars/1',
    status,
    since: now,
    attempt: 1,
    pushedTo: 0,
    progress: { succeeded: 0, failed: 0, skipped: 0, miniBatchesDone: 0 },
    traceparent,
    usage: { instanceS: 0, items: 0, bytes: 0 },
  };
}

/** Does what the scheduler does: writes files and mini-batches down, queues them, and says that the job runs. */
async function begin(name: string, miniBatches: number): Promise<void> {
  const files = jobFiles(jobs, name);
  await makeJobFolders(files);
  await writeJsonLines(files.miniBatches, miniBatchesOf(name, miniBatches));
  const work = await nats.workQueue<MiniBatchMessage>(batchWork);
  for await (const { value, start, length } of jsonLines<MiniBatch>(files.miniBatches)) {
    await work.push(jobKey(name), `${name}.${value.index}`, {
      job: name,
      attempt: 1,
      index: value.index,
      start,
      length,
    });
  }
  await (await nats.bucket<JobRecord>(jobsBucket)).put(`job.${jobKey(name)}`, jobDocument(name, 'Running'));
}

async function* miniBatchesOf(job: string, count: number): AsyncGenerator<MiniBatch> {
  for (let index = 0; index < count; index += 1) {
    const localPath = join(input, `${index}.txt`);
    writeFileSync(localPath, `text ${index}`);
    const { size, mtimeMs } = statSync(localPath);
    const file = { path: `${index}.txt`, localPath, bytes: size, modifiedMs: Math.trunc(mtimeMs) };
    yield { job, attempt: 1, index, firstItem: index, items: 1, files: [file] };
  }
}

it('is healthy', async () => {
  const client = createClient(HealthClient, address);
  expect((await client.call('check', { service: '' })).status).toBe(1);
  client.close();
});

it('scores the mini-batches of a job that runs, and has no process once it runs no more', async () => {
  await begin('night-1', 3);
  const records = await nats.bucket<MiniBatchRecord>(miniBatchesBucket);
  const { parts, logs, root } = jobFiles(jobs, 'night-1');
  for (const index of [0, 1, 2]) {
    const { part, succeeded, bytes } = await eventually(async () => {
      const record = (await records.get(recordKey('night-1', index)))?.value;
      expect(record).toBeDefined();
      return record as MiniBatchRecord;
    });
    expect([succeeded, bytes]).toEqual([1, 6]);
    expect(readFileSync(join(parts, part?.file ?? ''), 'utf8')).toBe(`text ${index}\n`);
  }
  await (
    await nats.bucket<JobRecord>(jobsBucket)
  ).put(`job.${jobKey('night-1')}`, jobDocument('night-1', 'Finalizing'));
  await eventually(async () => expect(readdirSync(join(root, 'work'))).toEqual([]));
  const [log = '', ...others] = readdirSync(logs);
  expect(others).toEqual([]);
  expect(readFileSync(join(logs, log), 'utf8')).toContain('the code is another one than was registered');
});

it('counts items, and has a span for each mini-batch in the trace of its job', async () => {
  const { values } = await metrics.batchItems.get();
  const ok = values.find(({ labels }) => labels.endpoint === 'night' && labels.result === 'ok');
  expect(ok?.value).toBe(3);
  await eventually(async () => expect(collector.spans).toHaveLength(3));
  for (const { name, traceId, parentSpanId, links } of collector.spans) {
    expect([name, traceId, parentSpanId]).toEqual(['batch mini-batch', 'a'.repeat(32), 'b'.repeat(16)]);
    expect(links?.map((link) => link.traceId)).toEqual(['a'.repeat(32)]);
  }
});

it('begins nothing while the machine has enough to do with online requests, and goes on afterwards', async () => {
  writeFileSync(
    join(code, 'score.py'),
    'import time\ndef init(): pass\ndef run(mini_batch):\n  time.sleep(0.2)\n  return mini_batch\n',
  );
  // A data plane that has four requests at once.
  const stopTelling = nats.respond(loadSubject, () =>
    JSON.stringify({ process: 'edge-1', requestSeconds: (4 * performance.now()) / 1_000 }),
  );
  const all = 40;
  await begin('night-busy', all);
  const records = await nats.bucket<MiniBatchRecord>(miniBatchesBucket);
  const done = async (): Promise<number> => (await records.list(jobKey('night-busy'))).size;
  let [before, beforeMs] = [-1, performance.now()];
  const standing = await eventually(async () => {
    const now = await done();
    if (now !== before) [before, beforeMs] = [now, performance.now()];
    // Ten times as long as a mini-batch takes.
    expect(performance.now() - beforeMs).toBeGreaterThan(2_000);
    return now;
  }, patient);
  expect(standing).toBeLessThan(all);
  stopTelling();
  await eventually(async () => expect(await done()).toBe(all), patient);
  await (
    await nats.bucket<JobRecord>(jobsBucket)
  ).put(`job.${jobKey('night-busy')}`, jobDocument('night-busy', 'Finalizing'));
});

it('gives every job its turn where more run than it has processes, and long enough to load', async () => {
  writeFileSync(
    join(code, 'score.py'),
    'import time\ndef init(): time.sleep(1)\ndef run(mini_batch):\n  time.sleep(0.1)\n  return mini_batch\n',
  );
  const names = ['turn-1', 'turn-2', 'turn-3'];
  for (const name of names) await begin(name, 300);
  const records = await nats.bucket<MiniBatchRecord>(miniBatchesBucket);
  for (const name of names) {
    await eventually(async () => expect((await records.list(jobKey(name))).size).toBeGreaterThan(3), patient);
  }
  const bucket = await nats.bucket<JobRecord>(jobsBucket);
  for (const name of names) await bucket.put(`job.${jobKey(name)}`, jobDocument(name, 'CancelRequested'));
  await eventually(() => {
    for (const name of names) expect(readdirSync(join(jobFiles(jobs, name).root, 'work'))).toEqual([]);
  }, patient);
});

it('leaves nothing behind when it stops in the middle of a job', async () => {
  writeFileSync(join(code, 'score.py'), 'import time\ndef init(): pass\ndef run(mini_batch): time.sleep(600)\n');
  await begin('night-2', 1);
  const { root } = jobFiles(jobs, 'night-2');
  await eventually(async () => expect(readdirSync(join(root, 'work'))).toHaveLength(1));
  await worker.stop?.(AbortSignal.timeout(5_000), 'asked');
  expect(readdirSync(join(root, 'work'))).toEqual([]);
  expect(existsSync(socket)).toBe(false);
});
