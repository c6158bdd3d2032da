import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { credentials, Metadata, status, type StatusObject } from '@grpc/grpc-js';
import { GRPCInferenceServiceClient, ModelInferRequest } from '@mooring/contracts/inference';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  endpointYaml,
  figure,
  fixtures,
  onnxYaml,
  quantile,
  scriptYaml,
  startPlatform,
  until,
  type HttpAnswer,
  type Platform,
} from './harness.ts';

/** What one instance may run at once; its script has two workers, so half of it waits already. */
const concurrency = 4;
const deadlineMs = 600;
const sleepMs = 40;
const script = `
import json, os, time
def init(): pass
def run(raw_data):
    time.sleep(json.loads(raw_data)["sleep"])
    return {"pid": os.getpid()}
`;
const body = JSON.stringify({ sleep: sleepMs / 1_000 });
const limits = `request_settings: {request_timeout_ms: 5000, max_concurrent_requests_per_instance: ${concurrency}}`;

let platform: Platform;
let key = '';
let heavyKey = '';

beforeAll(async () => {
  platform = await startPlatform();
  for (const name of ['busy', 'heavy'])
    await platform.json('online-endpoint', 'create', '-f', platform.yaml(endpointYaml(name)));
  const code = platform.yaml('', { 'score.py': script }).replace(/file\.yml$/, '');
  const more = `${limits}\nenvironment_variables: {WORKER_COUNT: "2"}`;
  const busy = platform.yaml(scriptYaml('busy', 'blue', code, 'score.py', more));
  await platform.json('online-deployment', 'create', '-f', busy, '--all-traffic');
  const model = join(fixtures, 'slow-and-bad/models/heavy.onnx');
  const one = 'request_settings: {request_timeout_ms: 5000, max_concurrent_requests_per_instance: 1}';
  const heavy = platform.yaml(onnxYaml('heavy', 'blue', model, one));
  await platform.json('online-deployment', 'create', '-f', heavy, '--all-traffic');
  [key, heavyKey] = [await platform.key('busy'), await platform.key('heavy')];
});

afterAll(() => platform.remove());

const score = (): Promise<HttpAnswer> =>
  platform.send('/endpoints/busy/score', { key, body, headers: { 'x-request-timeout-ms': String(deadlineMs) } });

/** `width` callers, each with one request open. */
async function closedLoop(width: number, forMs: number): Promise<HttpAnswer[]> {
  const answers: HttpAnswer[] = [];
  const untilMs = performance.now() + forMs;
  const caller = async (): Promise<void> => {
    while (performance.now() < untilMs) answers.push(await score());
  };
  await Promise.all(Array.from({ length: width }, caller));
  return answers;
}

/** `perSecond` requests a second, whatever becomes of them. */
async function openLoop(perSecond: number, forMs: number): Promise<HttpAnswer[]> {
  const sent: Promise<HttpAnswer>[] = [];
  const from = performance.now();
  for (let elapsed = 0; elapsed < forMs; elapsed = performance.now() - from) {
    while (sent.length < (elapsed * perSecond) / 1_000) sent.push(score());
    await delay(2);
  }
  return Promise.all(sent);
}

const good = (answers: readonly HttpAnswer[]): HttpAnswer[] => answers.filter((answer) => answer.status === 200);

/** Resident memory of every process that the supervisor started but the store. */
function residentMib(): number {
  const file = readFileSync(join(platform.data, 'run/supervisor.json'), 'utf8');
  const { children } = JSON.parse(file) as { children: { name: string; pid: number }[] };
  const pages = children
    .filter(({ name }) => !name.includes('nats'))
    .map(({ pid }) => Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1] ?? 0));
  return (pages.reduce((sum, count) => sum + count, 0) * 4096) / 2 ** 20;
}

async function metric(pattern: RegExp): Promise<number> {
  const text = await (await fetch(`${platform.management}/metrics`, { signal: AbortSignal.timeout(10_000) })).text();
  return [...text.matchAll(pattern)].reduce((sum, found) => sum + Number(found[1]), 0);
}

describe('ten times more requests than a deployment can answer', () => {
  it('cost nobody who is answered anything: goodput holds, every refusal is complete, and it is over at once', async () => {
    await closedLoop(concurrency, 500);
    const forMs = 5_000;
    const before = (good(await closedLoop(concurrency, 2_000)).length * 1_000) / 2_000;
    const single = quantile(
      (await closedLoop(1, 500)).map(({ ms }) => ms),
      0.5,
    );
    const rss = residentMib();
    const answers = await openLoop(before * 10, forMs);
    const endedMs = performance.now();
    await until('an answer as quick as before', async () => {
      const answer = await score();
      return answer.status === 200 && answer.ms <= 2 * single + 20;
    });
    const normalMs = performance.now() - endedMs;
    const grew = residentMib() - rss;
    const after = (good(await closedLoop(concurrency, 1_000)).length * 1_000) / 1_000;

    const peak = Math.min(before, after);
    const goodput = (good(answers).length * 1_000) / forMs;
    const accepted = good(answers).map(({ ms }) => ms);
    const refused = answers.filter((answer) => answer.status !== 200);
    const reasons: Record<string, number> = {};
    for (const answer of refused) {
      expect([408, 429, 503, 504], answer.body.toString()).toContain(answer.status);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
      const { error } = JSON.parse(answer.body.toString()) as { error: { reason: string; retryAfterMs: number } };
      expect(error.retryAfterMs).toBeGreaterThan(0);
      const seen = `${answer.status} ${error.reason}`;
      reasons[seen] = (reasons[seen] ?? 0) + 1;
    }
    figure(
      `B8 overload 10x REST: offered ${Math.round(before * 10)}/s, peak ${before.toFixed(0)}/${after.toFixed(0)}/s, goodput ${goodput.toFixed(0)}/s ` +
        `(${((100 * goodput) / peak).toFixed(0)} %), accepted p50 ${quantile(accepted, 0.5).toFixed(0)} p99 ${quantile(accepted, 0.99).toFixed(0)} ms ` +
        `(deadline ${deadlineMs}), refused in p50 ${quantile(
          refused.map(({ ms }) => ms),
          0.5,
        ).toFixed(1)} ms, RSS ${grew.toFixed(0)} MiB, ` +
        `normal after ${normalMs.toFixed(0)} ms, ${JSON.stringify(reasons)}`,
    );
    // The load comes from the same machine, and its clock runs until its own event loop sees the answer.
    expect(goodput).toBeGreaterThanOrEqual(0.5 * peak);
    expect(quantile(accepted, 0.99)).toBeLessThanOrEqual(deadlineMs * 2.5);
    expect(normalMs).toBeLessThanOrEqual(10_000);
    expect(grew).toBeLessThan(80);
  });

  it('are refused over gRPC with reason and retry-after-ms in the trailers', async () => {
    const client = new GRPCInferenceServiceClient(platform.grpc, credentials.createInsecure());
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${heavyKey}`);
    const contents = new Float32Array([0.1, 0.2, 0.3, 0.4]);
    const request = ModelInferRequest.fromPartial({
      modelName: 'heavy',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4] }],
      rawInputContents: [Buffer.from(contents.buffer)],
    });
    const statuses = await Promise.all(
      Array.from(
        { length: 40 },
        () =>
          new Promise<StatusObject>((resolve) => {
            const call = client.modelInfer(request, metadata, { deadline: Date.now() + 5_000 }, () => undefined);
            call.on('status', resolve);
          }),
      ),
    );
    client.close();
    const refused = statuses.filter(({ code }) => code !== status.OK);
    figure(`overload gRPC: 40 at once at a limit of 2, ${statuses.length - refused.length} answered`);
    expect(refused.length).toBeGreaterThanOrEqual(20);
    expect(statuses.length - refused.length).toBeGreaterThanOrEqual(2);
    for (const { code, details, metadata: trailers } of refused) {
      expect([status.RESOURCE_EXHAUSTED, status.UNAVAILABLE], details).toContain(code);
      expect(trailers.get('mooring-reason')[0]).toMatch(/^[A-Z_]+$/);
      expect(Number(trailers.get('retry-after-ms')[0])).toBeGreaterThan(0);
    }
  });
});

describe('callers who leave', () => {
  it('300 times, at every stage, free what they held at once and cost no one else anything', async () => {
    const pids = new Set((await closedLoop(concurrency, 500)).map((answer) => pidOf(answer)));
    const [cancelledBefore, wastedBefore] = [await cancelled(), await wasted()];
    const rss = residentMib();
    let next = 0;
    const caller = async (): Promise<void> => {
      while (next < 300) await leave(next++);
    };
    await Promise.all(Array.from({ length: concurrency }, caller));
    const from = performance.now();
    await until('an answer', async () => (await score()).status === 200);
    const freedMs = performance.now() - from;
    const full = await Promise.all(Array.from({ length: concurrency }, score));
    expect(full.map((answer) => answer.status)).toEqual(full.map(() => 200));
    // Interrupted, not replaced.
    expect([...new Set(full.map((answer) => pidOf(answer)))].every((pid) => pids.has(pid))).toBe(true);
    await until(
      'every slot to be free',
      async () => (await metric(/^mooring_in_flight\{endpoint="busy".*\} (\d+)$/gm)) === 0,
    );
    const left = (await cancelled()) - cancelledBefore;
    const wastedMs = 1_000 * ((await wasted()) - wastedBefore);
    figure(
      `B12 disconnects REST: 300 at 6 stages, ${left} counted as cancelled, next answer after ${freedMs.toFixed(0)} ms (a call takes ${sleepMs}), ` +
        `wasted compute ${wastedMs.toFixed(0)} ms = ${((100 * wastedMs) / (left * sleepMs)).toFixed(0)} % of what they asked for, RSS ${(residentMib() - rss).toFixed(0)} MiB`,
    );
    expect(left).toBeGreaterThanOrEqual(250);
    expect(left).toBeLessThanOrEqual(300);
    expect(freedMs).toBeLessThan(5_000);
    expect(wastedMs).toBeLessThan(0.9 * left * sleepMs);
  });
});

const cancelled = (): Promise<number> => metric(/^mooring_cancelled_total\{endpoint="busy".*\} (\d+)$/gm);
const wasted = (): Promise<number> => metric(/^mooring_wasted_compute_seconds_total\{endpoint="busy".*\} (\S+)$/gm);

function pidOf(answer: HttpAnswer): number {
  return (JSON.parse(answer.body.toString()) as { pid: number }).pid;
}

/** Sends as much as stage `index % 6` says, waits as long, and is gone. */
async function leave(index: number): Promise<void> {
  const head =
    `POST /endpoints/busy/score HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\n` +
    `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  const [sent, waitMs] = [
    [head, 5],
    [head + body.slice(0, 5), 5],
    [head + body, 0],
    [head + body, 2],
    [head + body, 10],
    [head + body, 25],
  ][index % 6] as [string, number];
  const { hostname, port } = new URL(platform.http);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  await new Promise((resolve) => socket.write(sent, resolve));
  await delay(waitMs);
  socket.resetAndDestroy();
}
