import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BenchResult } from './bench.ts';
import { withDescendants } from './processes/proc.ts';

const program = join(import.meta.dirname, 'main.ts');
const checkProgram = join(import.meta.dirname, 'check-main.ts');

let temp: string;
/** Where the benchmark makes its own folder, so that what it leaves is seen. */
let benchTemp: string;

beforeAll(() => {
  // Short: sockets lie below it, and their paths have a limit.
  temp = mkdtempSync(join(tmpdir(), 'b-'));
  benchTemp = mkdtempSync(join(temp, 't'));
});
afterAll(() => rmSync(temp, { recursive: true, force: true }));

/** Processes that were started for a run below the folder, however far they have gone from their parents. */
function processesOf(folder: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(folder);
    } catch {
      return false;
    }
  });
}

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

function start(file: string, args: readonly string[]) {
  const env = { ...process.env, TMPDIR: benchTemp, MOORING_BENCH_CACHE: join(temp, 'no-peers') };
  const child = spawn(process.execPath, [file, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended: Ended = { code: null, stdout: '', stderr: '' };
  child.stdout.on('data', (text: Buffer) => (ended.stdout += text.toString()));
  child.stderr.on('data', (text: Buffer) => (ended.stderr += text.toString()));
  const end = once(child, 'close').then(([code]) => ({ ...ended, code: code as number | null }));
  return { child, ended, end };
}

const run = (...args: string[]): Promise<Ended> => start(program, args).end;
const quick = ['--repeats', '1', '--seconds', '0.2', '--warmup', '0.1'];

describe('load-tests/bench/run', () => {
  const json = (): BenchResult => JSON.parse(readFileSync(join(temp, 'r.json'), 'utf8')) as BenchResult;

  it('measures a platform beside an echo server, writes its figures, and leaves nothing behind', async () => {
    const files = ['--json', 'r.json', '--chart', 'r.svg', '--baseline', 'b.json'];
    const out = files.map((name) => (name.startsWith('--') ? name : join(temp, name)));
    const only = ['--only', 'iris-rest,iris-grpc', '--systems', 'mooring,node-echo,grpc-echo', '--concurrency', '2'];
    const { code, stdout, stderr } = await run(...only, ...quick, ...out);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^iris-rest: /m);
    expect(stdout).toMatch(/^mooring +\d/m);
    expect(stdout).toMatch(/^other programs took [\d.]+ of \d+ cores/m);
    const { samples, ratios } = json();
    expect(samples.map(({ workload, system }) => `${workload} ${system}`).toSorted()).toEqual([
      'iris-grpc grpc-echo',
      'iris-grpc mooring',
      'iris-rest mooring',
      'iris-rest node-echo',
    ]);
    for (const sample of samples) {
      expect(sample, JSON.stringify(sample)).toMatchObject({ failed: 0 });
      expect(sample.perSecond).toBeGreaterThan(0);
      expect(sample.cpuUs).toBeGreaterThanOrEqual(0);
    }
    expect(ratios.some(({ system, versus }) => system === 'mooring' && versus === 'node-echo')).toBe(true);
    expect(readFileSync(join(temp, 'r.svg'), 'utf8')).toMatch(/^<svg /);
    expect(readdirSync(benchTemp)).toEqual([]);
    expect(processesOf(benchTemp)).toEqual([]);
  }, 180_000);

  it('is held against the baseline that it wrote, by name', async () => {
    const args = ['--result', join(temp, 'r.json'), join(temp, 'b.json')];
    const { code, stdout, stderr } = await start(checkProgram, args).end;
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^kept iris-rest 2 mooring \/ node-echo req\/s/m);
  });

  it('measures loops without a server, bodies and an open loop', async () => {
    const only = ['--only', 'iris-rest,bodies,open-loop', '--systems', 'session-loop,node-echo'];
    const points = ['--concurrency', '1', '--points', '0.5'];
    const { code, stdout, stderr } = await run(...only, ...points, ...quick);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^session-loop +\d/m);
    expect(stdout).toMatch(/p99 \/ p50/);
    expect(readdirSync(benchTemp)).toEqual([]);
    expect(processesOf(benchTemp)).toEqual([]);
  }, 60_000);

  it('says which peer it leaves out and how to get it', async () => {
    const { code, stdout, stderr } = await run('--only', 'iris-rest', '--systems', 'mlserver', ...quick);
    expect(code).toBe(0);
    expect(stderr).toMatch(/mlserver is left out: --install mlserver/);
    expect(stdout).not.toMatch(/^mlserver/m);
  });

  it('ends what it started when it is interrupted', async () => {
    const args = ['--only', 'iris-rest', '--systems', 'node-echo', '--repeats', '50'];
    const { child, ended, end } = start(program, args);
    while (!ended.stderr.includes('repeat 1')) await once(child.stderr, 'data');
    const family = withDescendants([child.pid ?? 0]);
    expect(family.length).toBeGreaterThan(2);
    child.kill('SIGINT');
    const { code, stderr } = await end;
    expect(code).toBe(1);
    expect(stderr).toMatch(/interrupted/);
    expect(readdirSync(benchTemp)).toEqual([]);
    expect(processesOf(benchTemp)).toEqual([]);
  }, 60_000);

  it.each([
    [['--only', 'nothing'], /there is no 'nothing'/],
    [['--seconds', '0'], /--seconds/],
  ])('refuses %j', async (args, why) => {
    const { code, stderr } = await run(...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(why);
  });
});
