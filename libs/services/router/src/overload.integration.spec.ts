import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { registry } from '@mooring/telemetry';
import { call } from '@mooring/scoring-stream/testing';
import { eventually, fixture, tempDir, type TempDir } from '@mooring/testing';
import type { ScoreReply } from '@mooring/scoring-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { closedLoop, goodput, openLoop, quantile, reasons, type Outcome } from './testing/load.ts';
import { realRouter, type RealRouter } from './testing/real-router.ts';
import { startScorerProcess, type ScorerProcess } from './testing/scorer-process.ts';

const concurrency = 4;
const deadlineMs = 400;
const never = new AbortController().signal;
const sleepScript = `
import json, time
def init(): pass
def run(raw_data):
    time.sleep(json.loads(raw_data)["sleep"])
    return {"ok": True}
`;

let folder: TempDir;
let scorer: ScorerProcess | undefined;
let router: RealRouter | undefined;

beforeEach(() => {
  folder = tempDir('overload-');
});
afterEach(async () => {
  router?.close();
  await scorer?.stop();
  folder.remove();
});

async function startScript(): Promise<RealRouter> {
  const codeDir = join(folder.path, 'code');
  mkdirSync(codeDir);
  writeFileSync(join(codeDir, 'score.py'), sleepScript);
  const runtime = {
    kind: 'python' as const,
    interpreter: 'python3',
    codeDir,
    scoringScript: 'score.py',
    workerCount: 2,
  };
  scorer = await startScorerProcess(folder.path, 's1', runtime, concurrency);
  router = await realRouter([scorer.record], concurrency);
  return router;
}

async function startOnnx(): Promise<RealRouter> {
  const file = join(fixture('slow-and-bad'), 'models/heavy-adjustable.onnx');
  scorer = await startScorerProcess(folder.path, 's1', { kind: 'onnx', file }, concurrency);
  router = await realRouter([scorer.record], concurrency);
  return router;
}

/**
 * A queue that is not kept short collapses to a few percent. The figure itself is printed; how close it comes to the peak
 * on a machine that makes the load, too, is for load-tests/bench.
 */
const collapse = 0.5;

const bodies = {
  script: (ms: number) => JSON.stringify({ sleep: ms / 1_000 }),
  onnx: (loops: number) => JSON.stringify({ data: { x: [[0.1, 0.2, 0.3, 0.4]], loops } }),
};

const sender =
  ({ route }: RealRouter, body: string, ms = deadlineMs) =>
  (signal = never): Promise<ScoreReply> =>
    route.score(call({ body: Buffer.from(body), deadlineMs: ms }), signal);

describe('ten times more calls than a scorer can answer', () => {
  it.each([
    { model: 'a script that takes 20 ms in each of 2 workers', start: startScript, body: bodies.script(20) },
    // It computes, so it shares the machine's cores with this test's own load.
    { model: 'an ONNX model that computes for some ms', start: startOnnx, body: bodies.onnx(20) },
  ])(
    '$model: goodput does not collapse, every refusal is complete, memory is flat, and it is over at once',
    async ({ model, start, body }) => {
      const send = sender(await start(), body);
      await closedLoop(send, concurrency, 1_000);
      const before = goodput(await closedLoop(send, concurrency, 2_000), 2_000);
      const single = quantile(
        (await closedLoop(send, 1, 500)).map(({ ms }) => ms),
        0.5,
      );
      const [rssBefore, ownBefore] = [scorer?.residentMib() ?? 0, process.memoryUsage().rss / 2 ** 20];

      const forMs = 5_000;
      const outcomes = await openLoop(send, before * 10, forMs);
      const endedMs = performance.now();
      await recovered(send, single);
      const normalMs = performance.now() - endedMs;
      const after = goodput(await closedLoop(send, concurrency, 2_000), 2_000);

      const peak = Math.min(before, after);
      const good = goodput(outcomes, forMs);
      const accepted = outcomes.filter(({ answer }) => answer.errorCode === '').map(({ ms }) => ms);
      const refused = outcomes.filter(({ answer }) => answer.errorCode !== '');
      const [grew, ownGrew] = [
        (scorer?.residentMib() ?? 0) - rssBefore,
        process.memoryUsage().rss / 2 ** 20 - ownBefore,
      ];
      process.stdout.write(
        `FIGURE overload 10x, ${model}: offered ${Math.round(before * 10)}/s, peak ${before.toFixed(0)}/${after.toFixed(0)}/s, goodput ` +
          `${good.toFixed(0)}/s (${((100 * good) / peak).toFixed(0)} %), accepted p50 ${quantile(accepted, 0.5).toFixed(0)} ms p99 ` +
          `${quantile(accepted, 0.99).toFixed(0)} ms (deadline ${deadlineMs}), refused in p50 ${quantile(
            refused.map(({ ms }) => ms),
            0.5,
          ).toFixed(2)} ms, ` +
          `RSS scorer ${grew.toFixed(0)} MiB router+load ${ownGrew.toFixed(0)} MiB, normal after ${normalMs.toFixed(0)} ms, ${JSON.stringify(reasons(outcomes))}\n`,
      );
      expect(good).toBeGreaterThanOrEqual(collapse * peak);
      // This process makes the load as well, and sees an answer when its event loop gets to it.
      expect(quantile(accepted, 0.99)).toBeLessThanOrEqual(deadlineMs * 2.5);
      for (const { answer } of refused) {
        expect(['resource_exhausted', 'unavailable', 'deadline_exceeded']).toContain(answer.errorCode);
        expect(answer.retryAfterMs).toBeGreaterThan(0);
        expect(answer.errorReason).not.toBe('');
      }
      expect(normalMs).toBeLessThanOrEqual(10_000);
      expect(grew).toBeLessThan(80);
    },
  );

  it('answers in time what it takes when the queue is longer than the deadline allows, and says no to the rest at once', async () => {
    const real = await startScript();
    // 2 workers of 100 ms each: 8 in flight would take 400 ms.
    const send = sender(real, bodies.script(100), 250);
    const peak = goodput(await closedLoop(sender(real, bodies.script(100), 5_000), concurrency, 2_000), 2_000);
    const outcomes = await openLoop(send, 200, 4_000);
    const counts = reasons(outcomes);
    const late = outcomes.filter(({ answer }) => answer.errorCode === 'deadline_exceeded').length;
    const good = goodput(outcomes, 4_000);
    process.stdout.write(
      `FIGURE deadline shorter than the queue: goodput ${good.toFixed(1)}/s, peak ${peak.toFixed(1)}/s, late ${late}, ${JSON.stringify(counts)}\n`,
    );
    expect(counts['DEADLINE_UNREACHABLE']).toBeGreaterThan(0);
    expect(good).toBeGreaterThanOrEqual(collapse * peak);
    expect(late).toBeLessThan(0.6 * (counts['ok'] ?? 0));
  });
});

/** Resolves when a call takes as long as before the overload. */
async function recovered(send: () => Promise<ScoreReply>, singleMs: number): Promise<void> {
  await eventually(
    async () => {
      const from = performance.now();
      const { errorCode } = await send();
      return errorCode === '' && performance.now() - from <= 2 * singleMs + 10;
    },
    { timeoutMs: 10_000 },
  );
}

describe('a caller that leaves', () => {
  /** Leaves after `delayMs`; 0 = in the tick of the call, before anything was sent. */
  const stages = [
    { stage: 'before its call is sent', delayMs: 0 },
    { stage: 'while its call is on the way', delayMs: 1 },
    { stage: 'while its call waits in the scorer or its model runs', delayMs: 6 },
    { stage: 'about when its answer comes', delayMs: 21 },
  ];

  it.each([
    { model: 'script', start: startScript, body: bodies.script(10) },
    { model: 'ONNX model', start: startOnnx, body: bodies.onnx(10) },
  ])('of a $model, 1,000 times at every stage: its place is free at once and nothing is left behind', async (row) => {
    const real = await row.start();
    const send = sender(real, row.body, 5_000);
    await closedLoop(send, 2, 500);
    const rss = scorer?.residentMib() ?? 0;
    const wastedBefore = await wastedSeconds();
    const from = performance.now();
    const freed: number[] = [];
    const outcomes: Outcome[] = [];
    const one = async (index: number): Promise<void> => {
      const gone = new AbortController();
      const leaving = send(gone.signal);
      const { delayMs = 0 } = stages[index % stages.length] ?? {};
      if (delayMs > 0) await delay(delayMs);
      const abortedMs = performance.now();
      gone.abort();
      const answer = await leaving;
      freed.push(performance.now() - abortedMs);
      outcomes.push({ answer, ms: 0, endedMs: 0 });
    };
    let next = 0;
    const caller = async (): Promise<void> => {
      while (next < 1_000) await one(next++);
    };
    await Promise.all(Array.from({ length: concurrency }, caller));
    const tookSeconds = (performance.now() - from) / 1_000;
    const { pool } = real.deployment;
    expect([pool.liveInFlight, pool.bytesInFlight, pool.progress.open]).toEqual([0, 0, 0]);
    expect(pool.slots.map((slot) => slot.inFlight)).toEqual([0]);
    // Every place of the scorer is free: as many calls as it runs and queues are taken together.
    const idleMs = performance.now();
    await eventually(async () => {
      const full = await Promise.all(Array.from({ length: concurrency * 2 }, () => send()));
      return full.every(({ errorCode }) => errorCode === '');
    });
    const wasted = (await wastedSeconds()) - wastedBefore;
    const counts = reasons(outcomes);
    const left = counts['CALLER_GONE'] ?? 0;
    const each = quantile(
      (await closedLoop(send, 1, 300)).map(({ answer }) => (answer.timing?.computeUs ?? 0) / 1_000),
      0.5,
    );
    process.stdout.write(
      `FIGURE 1000 disconnects, ${row.model}: ${JSON.stringify(counts)}, router slot free p99 ` +
        `${quantile(freed, 0.99).toFixed(2)} ms, all ${concurrency * 2} places used again after ${(performance.now() - idleMs).toFixed(0)} ms, ` +
        `wasted compute ${(1_000 * wasted).toFixed(0)} ms in ${(1_000 * tookSeconds).toFixed(0)} ms, which is ${((1e5 * wasted) / (left * each)).toFixed(0)} % of what those who left asked for, RSS ${((scorer?.residentMib() ?? 0) - rss).toFixed(1)} MiB\n`,
    );
    expect(left).toBeGreaterThan(500);
    expect(quantile(freed, 0.99)).toBeLessThan(1_000);
    expect((scorer?.residentMib() ?? 0) - rss).toBeLessThan(30);
  });
});

async function wastedSeconds(): Promise<number> {
  const text = await registry.metrics();
  return Number(/^mooring_wasted_compute_seconds_total\{.*\} (\S+)$/m.exec(text)?.[1] ?? 0);
}
