import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import type { Options } from './cli.ts';
import { runGhz, runWrk } from './generator/foreign.ts';
import type { Measured } from './measure.ts';
import { baselineRatios } from './report/baseline.ts';
import { chartOfRun } from './report/chart-of-run.ts';
import { goalsText } from './report/goals.ts';
import { ratios } from './report/ratios.ts';
import { workloadReport } from './report/report.ts';
import type { Sample } from './report/samples.ts';
import { median } from './report/statistics.ts';
import { figure } from './report/table.ts';
import { Session } from './session.ts';
import { catalogue } from './systems/catalogue.ts';
import { installPeer } from './systems/peer-install.ts';
import { measureBodies } from './workloads/bodies.ts';
import { measureClosed, type Run } from './workloads/closed.ts';
import { measureEndpoints } from './workloads/endpoints.ts';
import { measureOpenLoop } from './workloads/open-loop.ts';
import { measureOverload } from './workloads/overload.ts';
import { workloadNamed, type Workload, type WorkloadKind } from './workloads/workloads.ts';

/** A run's figures, as --json writes them. */
export interface BenchResult {
  at: string;
  machine: { cores: number; cpu: string; node: string };
  /** Of the checkout. */
  commit: string;
  settings: { repeats: number; seconds: number; warmupSeconds: number; generator: string };
  /** Cores that other programs took: the median and the worst of all measurements. */
  otherCores: { median: number; most: number };
  /** What should have been measured and was not, and why. */
  leftOut: string[];
  samples: Sample[];
  ratios: ReturnType<typeof ratios>;
}

/** Runs what the options say, prints the tables, and resolves with all figures. */
export async function runBench(options: Options, signal: AbortSignal): Promise<BenchResult> {
  const say = (line: string): void => void (options.quiet || process.stderr.write(`${line}\n`));
  const session = await Session.open(signal, say, {
    ...(options.wrk ? { http: runWrk } : {}),
    ...(options.ghz ? { grpc: runGhz } : {}),
  });
  const samples: Sample[] = [];
  const otherCores: number[] = [];
  try {
    for (const name of options.install) await installPeer(session.context, name);
    const systems = catalogue.filter(({ name }) => options.systems?.includes(name) ?? true);
    const chosen = options.only.map(workloadNamed);
    await session.start(systems, chosen);
    for (const workload of chosen) {
      const onSample = (sample: Sample, measured: Measured): void => {
        samples.push(sample);
        otherCores.push(measured.otherCores);
        say(progressLine(workload, sample, measured));
      };
      try {
        const subjects = await session.subjects(systems, workload);
        if (subjects.length === 0) say(`${workload.name} is left out: nothing that serves it runs`);
        await measures[workload.kind]({ session, workload, subjects, onSample, ...settingsOf(workload, options) });
      } catch (error) {
        // What was measured before, perhaps for an hour, is still worth its tables: after an interruption, too.
        session.leaveOut(`the rest of ${workload.name}`, error);
      }
      process.stdout.write(`\n${workloadReport(workload, samples)}`);
      if (signal.aborted) break;
    }
  } finally {
    await session.close();
  }
  const result = resultOf(options, samples, otherCores, session.leftOut);
  process.stdout.write(`\n${goalsText(samples)}\n${otherText(result)}`);
  writeFiles(options, result);
  signal.throwIfAborted();
  return result;
}

function writeFiles(options: Options, result: BenchResult): void {
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(result, null, 1)}\n`);
  if (options.chart !== undefined) writeFileSync(options.chart, chartOfRun(result.samples));
  if (options.baseline === undefined) return;
  if (result.leftOut.length === 0) writeFileSync(options.baseline, baselineText(options, result));
  else process.stderr.write('no baseline was written, since something was left out\n');
}

const measures: Readonly<Record<WorkloadKind, (run: Run) => Promise<void>>> = {
  closed: measureClosed,
  'in-flight': measureClosed,
  bodies: measureBodies,
  endpoints: measureEndpoints,
  'open-loop': measureOpenLoop,
  overload: measureOverload,
};

function settingsOf(
  { kind, points }: Workload,
  options: Options,
): Pick<Run, 'points' | 'repeats' | 'times' | 'othersMax'> {
  const given = kind === 'closed' || kind === 'in-flight' ? options.concurrency : options.points;
  const times = { warmupMs: options.warmupSeconds * 1_000, durationMs: options.seconds * 1_000 };
  return { points: given ?? points, repeats: options.repeats, times, othersMax: options.othersMax };
}

function progressLine({ name, unit }: Workload, sample: Sample, { otherCores }: Measured): string {
  const trouble =
    sample.trouble === undefined || sample.failed === 0
      ? ''
      : `, ${sample.failed} failed: ${sample.trouble.slice(0, 120)}`;
  return `${name} ${sample.x} ${unit}, repeat ${sample.repeat}: ${sample.system} ${figure(sample.perSecond)}/s, p50 ${figure(sample.p50Ms)} ms, others took ${figure(otherCores)} cores${trouble}`;
}

function resultOf(
  options: Options,
  samples: Sample[],
  otherCores: readonly number[],
  leftOut: readonly string[],
): BenchResult {
  const references = Object.fromEntries(options.only.map((name) => [name, workloadNamed(name).references]));
  const { repeats, seconds, warmupSeconds } = options;
  return {
    at: new Date().toISOString(),
    machine: { cores: availableParallelism(), cpu: cpus()[0]?.model ?? '', node: process.version },
    commit: commitOf(),
    settings: {
      repeats,
      seconds,
      warmupSeconds,
      generator: [options.wrk ? 'wrk' : 'own', options.ghz ? 'ghz' : 'own'].join(', '),
    },
    otherCores: { median: median(otherCores), most: Math.max(0, ...otherCores) },
    leftOut: [...leftOut],
    samples,
    ratios: ratios(samples, references),
  };
}

/** A line for each ratio, so that a change of one is a change of one line. */
function baselineText({ only, systems, concurrency, points, repeats, seconds }: Options, result: BenchResult): string {
  const { at, machine, commit, otherCores } = result;
  const given = {
    ...(systems === undefined ? {} : { systems }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(points === undefined ? {} : { points }),
  };
  const head = { at, machine, commit, otherCores, settings: { only, ...given, repeats, seconds } };
  const lines = baselineRatios(result.ratios).map((one) => `    ${JSON.stringify(one)}`);
  return `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "ratios": [\n${lines.join(',\n')}\n  ]\n}\n`;
}

/** With a plus when files differ from it. */
function commitOf(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', import.meta.dirname, ...args], { encoding: 'utf8' });
  try {
    return git('rev-parse', '--short', 'HEAD').trim() + (git('status', '--porcelain').trim() === '' ? '' : '+');
  } catch {
    return 'unknown';
  }
}

function otherText({ otherCores, machine }: BenchResult): string {
  const advice = otherCores.median > 0.1 ? '; read the ratios only, and run again on a quiet machine' : '';
  return `other programs took ${figure(otherCores.median)} of ${machine.cores} cores (median; at most ${figure(otherCores.most)})${advice}\n`;
}
