import { parseArgs } from 'node:util';
import { topologies, type Topology } from './platform.ts';
import { programs } from './programs/index.ts';
import { scenariosOf } from './scenarios.ts';

export const usage = `usage: load-tests/reliability/run [options]

Starts a platform, sends it requests at a steady rate (REST on kept and on new connections, with and without an
Idempotency-Key, gRPC), changes it or kills parts of it meanwhile, and checks every answer. One line for each scenario; the
exit status is 1 when a request was lost or answered wrong.
      --only a,b           scenarios (default: all), or programs: measurements with a platform of their own
      --count N            how often each change is made (default 50)
      --minutes N          how long soak takes (default 30)
      --cycles N           loads and unloads that unload makes (default 1000)
      --seed N             of what batch-faults and pipeline-faults draw by chance (default 1)
      --rate N             requests a second (default 500)
      --topology NAME      default, single or split
      --edge N             data-plane processes
      --list               scenarios of the topology, and programs
  -h, --help

Example: load-tests/reliability/run --only restart-edge,kill-nats --count 10
`;

export interface Options {
  only: readonly string[];
  count: number;
  minutes: number;
  cycles: number;
  seed: number;
  rate: number;
  topology: Topology;
  edges: number | undefined;
}

export class UsageError extends Error {}

/** `help` or `list` (with the topology) when one of these was asked for. Throws UsageError. */
export function parseOptions(args: readonly string[]): Options | 'help' | { list: Topology } {
  const values = parse(args);
  if (values.help === true) return 'help';
  const topology = topologies.find((one) => one === (values.topology ?? 'default'));
  if (topology === undefined) throw new UsageError(`--topology: one of ${topologies.join(', ')}`);
  if (values.list === true) return { list: topology };
  const names = scenariosOf(topology).map(({ name }) => name);
  const only = values.only?.split(',') ?? names;
  const known = [...names, ...programs.map(({ name }) => name)];
  const unknown = only.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new UsageError(`--only: there is no ${unknown.join(', ')}; there are: ${known.join(', ')}`);
  }
  return {
    only,
    count: whole('--count', values.count ?? '50'),
    minutes: positive('--minutes', values.minutes ?? '30'),
    cycles: whole('--cycles', values.cycles ?? '1000'),
    seed: whole('--seed', values.seed ?? '1'),
    rate: whole('--rate', values.rate ?? '500'),
    topology,
    edges: values.edge === undefined ? undefined : whole('--edge', values.edge),
  };
}

function parse(args: readonly string[]) {
  const options = {
    only: { type: 'string' },
    count: { type: 'string' },
    minutes: { type: 'string' },
    cycles: { type: 'string' },
    seed: { type: 'string' },
    rate: { type: 'string' },
    topology: { type: 'string' },
    edge: { type: 'string' },
    list: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function whole(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 100_000) {
    throw new UsageError(`${flag}: '${text}' is no whole number from 1 to 100000`);
  }
  return value;
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 10_000)) throw new UsageError(`${flag}: '${text}' is no number above 0`);
  return value;
}
