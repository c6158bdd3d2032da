import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GRPCInferenceServiceClient, ModelInferRequest } from '@mooring/contracts/inference';
import type { RequestRecord } from '@mooring/domain';
import {
  endpointYaml,
  figure,
  fixtures,
  onnxYaml,
  parallel,
  scriptYaml,
  startPlatform,
  until,
  type HttpAnswer,
  type Platform,
} from './harness.ts';

const body = '{"data": [[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]]}';
const workspace =
  '/subscriptions/local/resourceGroups/local/providers/Microsoft.MachineLearningServices/workspaces/default';
/** Requests that went well push nothing else out of a few places. */
const kept = 1_000;
const slowMs = 60;
const slowScript = `import time\n\ndef init():\n    pass\n\ndef run(data):\n    time.sleep(${slowMs / 1_000})\n    return {"ok": True}\n`;
let platform: Platform;
let key = '';
let token = '';

/** As management tells it. */
type Explained = Omit<RequestRecord, 'mirrored'> & { mirrored: readonly { deployment: string }[] };

beforeAll(async () => {
  platform = await startPlatform({ MOORING_REQUESTS_KEPT: String(kept) });
  token = readFileSync(join(platform.data, 'secrets/admin.token'), 'utf8').trim();
  await platform.json('online-endpoint', 'create', '-f', platform.yaml(endpointYaml('why')));
  const model = join(fixtures, 'iris-onnx/model.onnx');
  const batching = 'properties: {mooring.placement: process, mooring.batch.max-rows: 16}';
  for (const [name, more] of [
    ['auto', ''],
    ['apart', batching],
    ['copy', 'properties: {mooring.placement: process}'],
  ] as const) {
    await platform.json('online-deployment', 'create', '-f', platform.yaml(onnxYaml('why', name, model, more)));
  }
  const script = platform.yaml(scriptYaml('why', 'slow', 'src', 'score.py'), { 'src/score.py': slowScript });
  await platform.json('online-deployment', 'create', '-f', script);
  const traffic = ['--traffic', 'auto=70 apart=30', '--mirror-traffic', 'copy=50'];
  await platform.json('online-endpoint', 'update', '-n', 'why', ...traffic);
  key = await platform.key('why');
});
afterAll(() => platform.remove());

const score = (headers: Record<string, string> = {}, more: { key?: string; body?: string } = {}): Promise<HttpAnswer> =>
  platform.send('/endpoints/why/score', { key, headers, body, timeoutMs: 10_000, ...more });

async function explain(id: string): Promise<Explained[]> {
  const answer = await fetch(`${platform.management}${workspace}/requests/${id}`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(20_000),
  });
  const { value = [] } = (await answer.json()) as { value?: Explained[] };
  return value;
}

const sumOf = ({ parts }: Explained): number => Object.values(parts).reduce((sum, ms) => sum + ms, 0);

/** The record of an answer; there is one in the moment in which the caller has the answer, or right after. */
function recordOf(answer: HttpAnswer): Promise<Explained> {
  return until(
    `the record of a ${answer.status}`,
    async () => (await explain(answer.headers['x-request-id'] ?? ''))[0],
  );
}

describe('a request that is explained', () => {
  it('was decided as the caller saw, ran where its deployment is, and its parts add up to its time', async () => {
    await until('both kinds of instances', async () => {
      const [auto, apart] = [
        await score({ 'azureml-model-deployment': 'auto' }),
        await score({ 'azureml-model-deployment': 'apart' }),
      ];
      return (await recordOf(auto)).placement === 'inline' && apart.status === 200;
    });
    const answers = await parallel(400, 8, (n) => {
      if (n % 20 === 0) return score({}, { key: 'wrong' });
      if (n % 20 === 1) return score({}, { body: '{"data": [["no", "number"]]}' });
      return score(n % 20 === 2 ? { 'azureml-model-deployment': 'apart' } : {});
    });
    const records = await parallel(answers.length, 32, (n) => recordOf(answers[n] as HttpAnswer));
    const bySlot = new Map<number, string>();
    let worst = 0;
    for (const [n, record] of records.entries()) {
      const answer = answers[n] as HttpAnswer;
      expect(record.status).toBe(answer.status);
      expect(record.deployment).toBe(answer.headers['azureml-model-deployment'] ?? '');
      if (record.rule === 'weight') {
        const slot = record.trafficSlot ?? -1;
        expect([record.deployment, slot]).toEqual([bySlot.get(slot) ?? record.deployment, slot]);
        bySlot.set(slot, record.deployment);
      }
      if (n % 20 === 0) expect(record).toMatchObject({ reason: 'KEY_INVALID', rule: '', deployment: '' });
      if (n % 20 === 2) expect(record).toMatchObject({ rule: 'pin', deployment: 'apart' });
      if (answer.status === 200) {
        expect(record).toMatchObject({ retries: 0, ejections: 0, reason: '' });
        expect(record.modelDigest).toMatch(/^[0-9a-f]{64}$/);
        expect(record.batchId).not.toBe('');
        // Only where requests share runs are rows counted.
        if (record.deployment === 'apart') expect(record).toMatchObject({ rows: 2 });
        expect(record.batchRows).toBeGreaterThanOrEqual(record.rows);
        expect(record.placement).toBe(record.deployment === 'auto' ? 'inline' : 'process');
      }
      worst = Math.max(worst, Math.abs(sumOf(record) - record.totalMs) / record.totalMs);
    }
    const slotsOf = (name: string): number => [...bySlot.values()].filter((deployment) => deployment === name).length;
    expect([slotsOf('auto') <= 70, slotsOf('apart') <= 30, bySlot.has(-1)]).toEqual([true, true, false]);
    const copied = records.filter(({ mirrored }) => mirrored.length > 0);
    expect(copied.length).toBeGreaterThan(50);
    expect(copied[0]?.mirrored[0]?.deployment).toBe('copy');
    figure(
      `explain: parts against the whole over ${records.length} requests, worst deviation ${(worst * 100).toFixed(3)} %`,
    );
    expect(worst).toBeLessThan(0.05);
  });

  it('took as long as its caller waited, most of it in the model', async () => {
    const answers = await parallel(20, 1, () => score({ 'azureml-model-deployment': 'slow' }));
    const records = await parallel(answers.length, 20, (n) => recordOf(answers[n] as HttpAnswer));
    const apart = records.map((record, n) => Math.abs(sumOf(record) / (answers[n]?.ms ?? 0) - 1));
    figure(
      `explain: parts against what the caller measured over 20 requests, worst deviation ${(Math.max(...apart) * 100).toFixed(1)} %`,
    );
    const median = apart.toSorted((a, b) => a - b)[10] ?? 1;
    expect(median).toBeLessThan(0.05);
    for (const { parts } of records) expect(parts.compute).toBeGreaterThan(slowMs * 0.95);
    expect(records[0]).toMatchObject({ coldStart: 'first', placement: 'process' });
    expect(records[1]).toMatchObject({ coldStart: '' });
  });

  it('is told on its answer to whoever asks', async () => {
    const asked = await score({ 'x-mooring-explain': '1', 'azureml-model-deployment': 'auto' });
    expect(asked.headers['x-mooring-decision']).toMatch(
      /^rule=pin, deployment="auto", instance="auto-inline", placement=inline, .*retries=0, ejections=0, model="[0-9a-f]{64}", cold-start=no$/,
    );
    expect((await score()).headers['x-mooring-decision']).toBeUndefined();
  });

  it('is shown by the command line, by the caller’s own id as well', async () => {
    const answer = await score({ 'x-ms-client-request-id': 'my-own-7' });
    const id = answer.headers['x-request-id'] ?? '';
    const [record] = await until('the record', () => platform.json<Explained[]>('request', 'explain', 'my-own-7'));
    expect(record).toMatchObject({ requestId: id, clientRequestId: 'my-own-7', endpoint: 'why' });
    const { stdout } = await platform.mooring('request', 'explain', id);
    expect(stdout).toContain(`Request     ${id} (my-own-7)`);
    expect(stdout).toMatch(/^Decided {5}endpoint why, deployment \w+ \(by the traffic table, slot \d+ of 0 to 99\)$/m);
    expect(stdout).toMatch(/^ {2}compute /m);
    const unknown = await platform.mooring('request', 'explain', 'nobody-knows');
    expect(unknown.code).toBe(3);
    expect(unknown.stderr).toMatch(/REQUEST_NOT_KEPT: no request .* kept are: .* \d+ answered since 20/);
  });

  it('came over gRPC, and failed', async () => {
    const client = new GRPCInferenceServiceClient(
      platform.grpc.replace(/^http:\/\//, ''),
      credentials.createInsecure(),
    );
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${key}`);
    metadata.set('x-mooring-explain', '1');
    const wrong: ModelInferRequest = {
      ...ModelInferRequest.decode(Buffer.alloc(0)),
      modelName: 'why',
      modelVersion: 'auto',
      id: 'msg-1',
    };
    const error = await new Promise<ServiceError>((resolve, reject) =>
      client.modelInfer(wrong, metadata, { deadline: Date.now() + 10_000 }, (failure) =>
        failure ? resolve(failure) : reject(new Error('it was answered')),
      ),
    );
    client.close();
    expect(error.metadata.get('x-mooring-decision')[0]).toMatch(/^rule=pin, deployment="auto"/);
    const [record] = await until('the record', async () => {
      const found = await explain('msg-1');
      return found.length > 0 && found;
    });
    expect(record).toMatchObject({
      requestId: error.metadata.get('x-ms-request-id')[0],
      clientRequestId: 'msg-1',
      protocol: 'oip_grpc',
      status: error.code,
      deployment: 'auto',
      rule: 'pin',
    });
  });
});

it('keeps what failed while many more requests go well, and forgets the oldest of those', async () => {
  const failed = await score({}, { body: '{"data": "no"}' });
  expect(failed.status).toBe(400);
  const first = await score();
  await parallel(kept + 200, 16, () => score());
  expect(await recordOf(failed)).toMatchObject({ status: 400, deployment: expect.stringMatching(/auto|apart/) });
  expect(await explain(first.headers['x-request-id'] ?? '')).toEqual([]);
  const text = JSON.stringify(await recordOf(failed));
  expect(text).not.toContain(key);
});
