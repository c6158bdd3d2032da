import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { runBench, type BenchResult } from './bench.ts';
import { parseOptions, type Options } from './cli.ts';
import { compare, regressions, type Baseline, type Verdict } from './report/baseline.ts';
import { figure } from './report/table.ts';

const usage = `usage: load-tests/bench/check [options] [BASELINE.json ...]

Measures what a baseline (all of load-tests/bench/baselines when none is named) was made of, and compares the ratios. A ratio
that is more than 15 % worse is measured again with twice the repeats; if it still is, it is named and the exit status is 1.
Options:
      --result FILE   compare this figures file of \`run --json\` instead of measuring
      --repeats N     instead of the baseline's
      --seconds N     instead of the baseline's
      --others-max N  measure again while other programs take more cores
  -q, --quiet         no progress
`;

const folder = join(import.meta.dirname, 'baselines');

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      result: { type: 'string' },
      repeats: { type: 'string' },
      seconds: { type: 'string' },
      'others-max': { type: 'string' },
      quiet: { type: 'boolean', short: 'q' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) {
    process.stdout.write(usage);
    return 0;
  }
  const files = positionals.length > 0 ? positionals : allBaselines();
  if (files.length === 0)
    throw new Error(`there is no baseline in ${folder}; load-tests/bench/run --baseline makes one`);
  let failed = 0;
  for (const file of files) {
    const baseline = JSON.parse(readFileSync(file, 'utf8')) as Baseline;
    const verdicts = await judge(baseline, values, signal);
    process.stdout.write(`\n${basename(file)}\n${verdicts.map(verdictLine).join('')}`);
    failed += verdicts.filter(({ fails }) => fails).length;
  }
  process.stdout.write(failed === 0 ? '\nno ratio is more than 15 % worse\n' : `\n${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

function allBaselines(): string[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names.toSorted().map((name) => join(folder, name));
}

interface Given {
  result?: string | undefined;
  repeats?: string | undefined;
  seconds?: string | undefined;
  'others-max'?: string | undefined;
  quiet?: boolean | undefined;
}

type Judged = Verdict & { fails: boolean };

async function judge(baseline: Baseline, given: Given, signal: AbortSignal): Promise<Judged[]> {
  if (given.result !== undefined) {
    return judged(baseline, JSON.parse(readFileSync(given.result, 'utf8')) as BenchResult);
  }
  const options = optionsOf(baseline, given);
  const first = judged(baseline, await runBench(options, signal));
  const doubtful = [...new Set(first.filter(({ fails }) => fails).map(({ workload }) => workload))];
  if (doubtful.length === 0) return first;
  process.stdout.write(`\nmeasuring again to be sure: ${doubtful.join(', ')}\n`);
  const again = await runBench({ ...options, only: doubtful, repeats: options.repeats * 2 }, signal);
  const second = judged(
    { ...baseline, ratios: baseline.ratios.filter(({ workload }) => doubtful.includes(workload)) },
    again,
  );
  return [...first.filter(({ workload }) => !doubtful.includes(workload)), ...second];
}

function judged(baseline: Baseline, result: BenchResult): Judged[] {
  const verdicts = compare(baseline.ratios, result.ratios);
  const failing = new Set(regressions(verdicts, new Set(result.samples.map(({ system }) => system))));
  return verdicts.map((verdict) => ({ ...verdict, fails: failing.has(verdict) }));
}

function optionsOf({ settings }: Baseline, given: Given): Options {
  const { only, systems, concurrency, points, repeats, seconds } = settings;
  const options = parseOptions([
    '--only',
    only.join(','),
    ...(systems === undefined ? [] : ['--systems', systems.join(',')]),
    ...(concurrency === undefined ? [] : ['--concurrency', concurrency.join(',')]),
    ...(points === undefined ? [] : ['--points', points.join(',')]),
    '--repeats',
    given.repeats ?? String(repeats),
    '--seconds',
    given.seconds ?? String(seconds),
    ...(given['others-max'] === undefined ? [] : ['--others-max', given['others-max']]),
    ...(given.quiet === true ? ['--quiet'] : []),
  ]);
  if (typeof options === 'string') throw new Error('a baseline with odd settings');
  return options;
}

function verdictLine({ name, outcome, baseline, now, worsePercent, fails }: Judged): string {
  const change =
    now === undefined ? '' : ` (${worsePercent > 0 ? 'worse' : 'better'} by ${Math.abs(worsePercent).toFixed(0)} %)`;
  return `${fails ? 'FAIL' : outcome.padEnd(4)} ${name}: ${figure(now)}, baseline ${figure(baseline)}${change}\n`;
}

const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interrupt.abort(new Error('interrupted')));
try {
  process.exitCode = await main(process.argv.slice(2), interrupt.signal);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
