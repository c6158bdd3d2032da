import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { batchJobDefaults } from '@mooring/domain';
import { BatchGround } from '../../reliability/batch/ground.ts';
import { Child } from '../processes/child.ts';
import { median } from '../report/statistics.ts';
import type { RowsJob, RowsResult } from './bare-rows.ts';
import { columns, writeRows, writeSmallFiles } from './input.ts';
import { measureJob, type Measured } from './job.ts';

const usage = `usage: load-tests/bench/run-batch [options]

Batch jobs beside bare loops of the same model or script, in turns in one run: items a second of the whole job and of its
running phase, their ratio to the loop on as many cores, the memory of the job's processes, and how time grows with the input.
      --rows N       rows of JSON lines in one file (default 1000000); a tenth of it first
      --files N      small files (default 500); a tenth of it first
      --repeats N    (default 3)
  -h, --help
`;

const rowsPerFile = 20;
const filesPerMiniBatch = 10;
const bareMs = 3_000;
const bareWholeMs = 600_000;
const rowsPerRun = 512;
const cores = availableParallelism();
const script = fileURLToPath(new URL('count_lines.py', import.meta.url));
const bareScript = fileURLToPath(new URL('bare_files.py', import.meta.url));

interface Sizes {
  rows: number;
  files: number;
  repeats: number;
}

interface Bench {
  ground: BatchGround;
  bare: Child;
  signal: AbortSignal;
}

/** A job at one size. */
interface Case {
  deployment: string;
  input: string;
  what: string;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function benchRows({ ground, bare, signal }: Bench, rows: number, repeats: number): Promise<void> {
  const sizes = [Math.ceil(rows / 10), rows];
  for (const size of sizes) writeRows(join(ground.folder.artifacts, 'data', `rows-${size}`, 'rows.jsonl'), size);
  const loop = async (perRun: number): Promise<RowsResult> => {
    const job: RowsJob = { kind: 'memory', rowsPerRun: perRun, durationMs: bareMs };
    return bare.ask<RowsResult>(job, bareWholeMs, signal);
  };
  const loops: Record<string, RowsResult[]> = { 'a row a run': [], [`${rowsPerRun} rows a run`]: [] };
  const jobs = sizes.map((): Measured[] => []);
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    loops['a row a run']?.push(await loop(1));
    loops[`${rowsPerRun} rows a run`]?.push(await loop(rowsPerRun));
    for (const [at, size] of sizes.entries()) {
      jobs[at]?.push(await measureJob(ground, 'rows', `rows-${size}-${repeat}`, `rows-${size}`, signal));
    }
  }
  report('rows of JSON lines', jobs, loops);
}

async function benchFiles(
  bench: Bench,
  { what, deployment, input }: Case,
  sizes: number[],
  loop: (folder: string) => Promise<RowsResult>,
  repeats: number,
): Promise<void> {
  const { ground, signal } = bench;
  const loops: RowsResult[] = [];
  const jobs = sizes.map((): Measured[] => []);
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    loops.push(await loop(join(ground.folder.artifacts, 'data', `${input}-${sizes.at(-1)}`)));
    for (const [at, size] of sizes.entries()) {
      jobs[at]?.push(
        await measureJob(ground, deployment, `${deployment}-${size}-${repeat}`, `${input}-${size}`, signal),
      );
    }
  }
  report(what, jobs, { 'the same loop': loops });
}

/** One block of figures: medians, and ratios of medians. */
function report(what: string, jobs: readonly Measured[][], loops: Readonly<Record<string, RowsResult[]>>): void {
  const middle = (all: readonly Measured[], of: (one: Measured) => number): number => median(all.map(of));
  for (const all of jobs) {
    const items = all[0]?.items ?? 0;
    const whole = items / middle(all, ({ wholeS }) => wholeS);
    const running = items / middle(all, ({ runningS }) => runningS);
    const jobCpuUs = middle(all, ({ jobCpuS, platformCpuS }) => ((jobCpuS + platformCpuS) / items) * 1e6);
    const [preparingS, runningS, finalizingS] = [
      middle(all, (one) => one.preparingS),
      middle(all, (one) => one.runningS),
      middle(all, (one) => one.finalizingS),
    ];
    say(
      `${what}: ${items} items, ${Math.round(whole)}/s over the whole job, ${Math.round(running)}/s while running ` +
        `(preparing ${preparingS.toFixed(2)} s, running ${runningS.toFixed(2)} s, finalizing ${finalizingS.toFixed(2)} s), ` +
        `a process held ${middle(all, ({ processMib }) => processMib).toFixed(0)} MiB at most, ` +
        `${middle(all, ({ jobCpuS }) => jobCpuS).toFixed(2)} s of CPU in the job's processes and ${middle(all, ({ platformCpuS }) => platformCpuS).toFixed(2)} s in the platform's`,
    );
    for (const [name, rates] of Object.entries(loops)) {
      const one = median(rates.map(({ items: done, seconds }) => done / seconds));
      const cpuUs = median(rates.map(({ items: done, cpuSeconds }) => (cpuSeconds / done) * 1e6));
      const ratio = (rate: number): string => (rate / (cores * one)).toFixed(3);
      say(
        `  bare loop, ${name}: ${Math.round(one)}/s on one core; of it on ${cores} cores: ${ratio(running)} while running, ` +
          `${ratio(whole)} over the whole job; by CPU ${(cpuUs / jobCpuUs).toFixed(3)} of its ${cpuUs.toFixed(1)} us an item`,
      );
    }
  }
  const [small, large] = jobs.map((all) => ({ items: all[0]?.items ?? 0, s: middle(all, ({ wholeS }) => wholeS) }));
  if (small !== undefined && large !== undefined) {
    say(
      `  ${(large.items / small.items).toFixed(1)} times the input took ${(large.s / small.s).toFixed(1)} times as long`,
    );
  }
}

async function runAll({ rows, files, repeats }: Sizes, signal: AbortSignal): Promise<void> {
  const bare = Child.module('bare loops', new URL('bare-rows.ts', import.meta.url), {});
  const ground = new BatchGround({ volume: false, twin: false, settings: {} }, signal);
  const bench: Bench = { ground, bare, signal };
  try {
    await ground.start();
    const job = { ...batchJobDefaults, instanceCount: cores, miniBatchSize: filesPerMiniBatch };
    const properties = { 'mooring.batch.columns': columns.join(',') };
    await ground.deploySpec('rows', { job, properties });
    await ground.deploySpec('script', { job }, script);
    const sizes = [Math.ceil(files / 10), files];
    for (const size of sizes)
      writeSmallFiles(join(ground.folder.artifacts, 'data', `small-${size}`), size, rowsPerFile);
    await benchRows(bench, rows, repeats);
    const pythonLoop = async (folder: string): Promise<RowsResult> => {
      const args = [bareScript, script, folder, String(filesPerMiniBatch), `${folder}.bare`];
      return JSON.parse(execFileSync('python3', args, { encoding: 'utf8' })) as RowsResult;
    };
    await benchFiles(
      bench,
      { what: 'small files, script', deployment: 'script', input: 'small' },
      sizes,
      pythonLoop,
      repeats,
    );
    const rowsLoop = async (folder: string): Promise<RowsResult> => {
      const result = await bare.ask<RowsResult>({ kind: 'files', folder } satisfies RowsJob, bareWholeMs, signal);
      return { ...result, items: rowsPerFile * result.items };
    };
    await benchFiles(
      bench,
      { what: `small files of ${rowsPerFile} rows`, deployment: 'rows', input: 'small' },
      sizes,
      rowsLoop,
      repeats,
    );
  } finally {
    await ground.stop();
    await bare.stop(1_000);
  }
}

function sizesOf(args: readonly string[]): Sizes | undefined {
  const text = { type: 'string' } as const;
  const options = { rows: text, files: text, repeats: text, help: { type: 'boolean', short: 'h' } } as const;
  const { values } = parseArgs({ args: [...args], options, strict: true });
  if (values.help === true) return undefined;
  const whole = (name: 'rows' | 'files' | 'repeats', usual: number): number => {
    const value = Number(values[name] ?? usual);
    if (!Number.isInteger(value) || value < 1 || value > 100_000_000)
      throw new Error(`--${name}: '${values[name]}' is no whole number above 0`);
    return value;
  };
  return { rows: whole('rows', 1_000_000), files: whole('files', 500), repeats: whole('repeats', 3) };
}

const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interrupt.abort(new Error('interrupted')));
try {
  const sizes = sizesOf(process.argv.slice(2));
  if (sizes === undefined) process.stdout.write(usage);
  else await runAll(sizes, interrupt.signal);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
