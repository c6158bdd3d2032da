/**
 * `node libs/services/scorer/src/script.bench.ts [--script FILE] [--workers N] [--flight 1,8] [--ms N]`: CPU of one call of a scoring script,
 * for each process on its way: the caller's side of the stream (this process), the scorer, the Python workers. Compare ratios,
 * not machines; the numbers are in docs/adr/0011-python-workers.md. BENCH_PYTHON: interpreter; BENCH_NODE: flags of the scorer.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readMooringSettings } from '@mooring/domain';
import { openScoringStream } from '@mooring/scoring-stream';
import { pino } from 'pino';
import { never, scoreCall } from './testing/calls.ts';

const { values } = parseArgs({
  options: {
    script: { type: 'string' },
    workers: { type: 'string', default: '2' },
    flight: { type: 'string', default: '1,8,32' },
    ms: { type: 'string', default: '2000' },
  },
});
const main = fileURLToPath(new URL('../../../../apps/scorer/src/main.ts', import.meta.url));
const sum = 'import json\ndef init(): pass\ndef run(raw_data): return {"sum": sum(json.loads(raw_data)["data"])}\n';
const body = Buffer.from(JSON.stringify({ data: [1.5, 2.5, 3, 4.25, 5, 6, 7, 8] }));
const ticksPerSecond = 100;

interface CpuMs {
  scorer: number;
  workers: number;
}

/** User and system time that `pid` has taken, in milliseconds. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / ticksPerSecond;
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}

function cpuOf(scorer: number): CpuMs {
  return { scorer: cpuMs(scorer), workers: childrenOf(scorer).reduce((total, pid) => total + cpuMs(pid), 0) };
}

function startScorer(folder: string, workerCount: number): ChildProcess {
  const codeDir = values.script === undefined ? folder : join(values.script, '..');
  if (values.script === undefined) writeFileSync(join(folder, 'score.py'), sum);
  const spec = {
    instanceId: 'cars-blue-1',
    endpoint: 'cars',
    deployment: 'blue',
    socketPath: join(folder, 's.sock'),
    instanceDir: folder,
    runtime: {
      kind: 'python',
      interpreter: process.env['BENCH_PYTHON'] ?? '/usr/bin/python3',
      codeDir,
      scoringScript: values.script?.slice(codeDir.length + 1) ?? 'score.py',
      workerCount,
    },
    environmentVariables: {},
    requestSettings: { requestTimeoutMs: 20_000, maxConcurrentRequestsPerInstance: 256, maxQueueWaitMs: 500 },
    settings: readMooringSettings({}).settings,
    threads: 1,
    orphanTimeoutMs: 60_000,
  };
  const child = spawn(process.execPath, [...(process.env['BENCH_NODE'] ?? '').split(' ').filter(Boolean), main], {
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  child.stdin.end(JSON.stringify(spec));
  return child;
}

const folder = mkdtempSync(join(tmpdir(), 'bench-'));
const scorer = startScorer(folder, Number(values.workers));
const stream = openScoringStream({ address: `unix:${folder}/s.sock`, log: pino({ enabled: false }) });
await stream.whenReady(AbortSignal.timeout(20_000));
const call = scoreCall({ body, deadlineMs: 20_000 });
for (;;) {
  const answer = await stream.score(call, never);
  if (answer.errorReason !== 'MODEL_NOT_READY') break;
  await new Promise((resolve) => setTimeout(resolve, 50));
}

async function load(inFlight: number, untilMs: number): Promise<number[]> {
  const tookMs: number[] = [];
  const caller = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      const from = performance.now();
      const answer = await stream.score(call, never);
      if (answer.status !== 200) throw new Error(`${answer.status} ${answer.errorReason} ${answer.errorMessage}`);
      tookMs.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  return tookMs;
}

for (const inFlight of values.flight.split(',').map(Number)) {
  await load(inFlight, performance.now() + 1_000);
  const before = cpuOf(scorer.pid as number);
  const own = process.cpuUsage();
  const from = performance.now();
  const tookMs = (await load(inFlight, from + Number(values.ms))).toSorted((a, b) => a - b);
  const seconds = (performance.now() - from) / 1_000;
  const used = process.cpuUsage(own);
  const after = cpuOf(scorer.pid as number);
  const us = (ms: number): string => ((ms * 1_000) / tookMs.length).toFixed(1);
  const at = (q: number): string => (tookMs[Math.floor(q * (tookMs.length - 1))] as number).toFixed(2);
  process.stdout.write(
    `${inFlight} in flight: ${Math.round(tookMs.length / seconds)}/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms; CPU us a call: ` +
      `caller ${us((used.user + used.system) / 1_000)}, scorer ${us(after.scorer - before.scorer)}, ` +
      `workers ${us(after.workers - before.workers)}\n`,
  );
}
await stream.close(AbortSignal.abort());
scorer.kill('SIGTERM');
await new Promise((resolve) => scorer.once('exit', resolve));
rmSync(folder, { recursive: true, force: true });
