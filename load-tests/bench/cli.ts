import { parseArgs } from 'node:util';
import { peerNames, type PeerName } from './systems/peer-install.ts';
import { catalogue } from './systems/catalogue.ts';
import { usual, workloads } from './workloads/workloads.ts';

export const usage = `usage: load-tests/bench/run [options]

Starts Mooring, the limits of this machine and the peers that are installed, checks one answer of each, and measures them
in turns. Options:
      --only a,b           workloads, or 'all' (default: ${usual.join(', ')})
      --systems a,b        rows of the table (default: all that are installed)
      --concurrency 1,8    callers in flight, of workloads that vary those (default: the workload's own)
      --points a,b         points of the other workloads (default: the workload's own)
      --repeats N          (default 3)
      --seconds N          length of one measurement (default 2)
      --warmup N           seconds before each that do not count (default 0.5)
      --others-max N       measure again, three times at most, while other programs take more cores (default: never)
      --wrk                wrk instead of the own load generator, for closed loops over HTTP (needs wrk in PATH)
      --ghz                ghz instead of the own load generator, for gRPC (needs ghz in PATH)
      --json FILE          every figure
      --chart FILE         chart of the run, SVG
      --baseline FILE      its ratios, for load-tests/bench/check
      --install a,b        install peers first: mlserver, azureml, fastapi
      --list               workloads and systems
  -q, --quiet              no progress
  -h, --help

Example: load-tests/bench/run --only iris-rest --concurrency 1,8,32 --repeats 3 --seconds 2
`;

export interface Options {
  only: string[];
  /** Undefined: all that are installed. */
  systems: string[] | undefined;
  concurrency: number[] | undefined;
  points: number[] | undefined;
  repeats: number;
  seconds: number;
  warmupSeconds: number;
  othersMax: number;
  wrk: boolean;
  ghz: boolean;
  json: string | undefined;
  chart: string | undefined;
  baseline: string | undefined;
  install: PeerName[];
  quiet: boolean;
}

export class UsageError extends Error {}

/** `help` or `list` when one of these was asked for. Throws UsageError. */
export function parseOptions(args: readonly string[]): Options | 'help' | 'list' {
  const values = parse(args);
  if (values.help === true) return 'help';
  if (values.list === true) return 'list';
  const names = workloads.map(({ name }) => name);
  return {
    only: values.only === 'all' ? names : oneOf('--only', list(values.only) ?? [...usual], names),
    systems: maybe(list(values.systems), (given) =>
      oneOf(
        '--systems',
        given,
        catalogue.map(({ name }) => name),
      ),
    ),
    concurrency: maybe(list(values.concurrency), (given) => given.map((text) => whole('--concurrency', text, 10_000))),
    points: maybe(list(values.points), (given) => given.map((text) => number('--points', text, 0, 1e9))),
    repeats: whole('--repeats', values.repeats ?? '3', 100),
    seconds: number('--seconds', values.seconds ?? '2', 0.05, 3_600),
    warmupSeconds: number('--warmup', values.warmup ?? '0.5', 0, 600),
    othersMax: values['others-max'] === undefined ? Infinity : number('--others-max', values['others-max'], 0, 1_024),
    wrk: values.wrk === true,
    ghz: values.ghz === true,
    json: values.json,
    chart: values.chart,
    baseline: values.baseline,
    install: oneOf('--install', list(values.install) ?? [], peerNames),
    quiet: values.quiet === true,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string' },
        systems: { type: 'string' },
        concurrency: { type: 'string' },
        points: { type: 'string' },
        repeats: { type: 'string' },
        seconds: { type: 'string' },
        warmup: { type: 'string' },
        'others-max': { type: 'string' },
        wrk: { type: 'boolean' },
        ghz: { type: 'boolean' },
        json: { type: 'string' },
        chart: { type: 'string' },
        baseline: { type: 'string' },
        install: { type: 'string' },
        list: { type: 'boolean' },
        quiet: { type: 'boolean', short: 'q' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function list(text: string | undefined): string[] | undefined {
  return text?.split(',').map((part) => part.trim());
}

function maybe<T>(given: string[] | undefined, read: (given: string[]) => T): T | undefined {
  return given === undefined ? undefined : read(given);
}

function oneOf<Name extends string>(flag: string, given: readonly string[], known: readonly Name[]): Name[] {
  const wrong = given.filter((name) => !known.includes(name as Name));
  if (wrong.length > 0) throw new UsageError(`${flag}: there is no '${wrong[0]}'; there are ${known.join(', ')}`);
  return [...new Set(given as Name[])];
}

function number(flag: string, text: string, least: number, most: number): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(value >= least && value <= most))
    throw new UsageError(`${flag}: '${text}' is not between ${least} and ${most}`);
  return value;
}

function whole(flag: string, text: string, most: number): number {
  const value = number(flag, text, 1, most);
  if (!Number.isInteger(value)) throw new UsageError(`${flag}: '${text}' is not a whole number`);
  return value;
}
