import { setTimeout as delay } from 'node:timers/promises';
import type { Instance, Platform, Topology } from './platform.ts';

/** What a scenario changes: the platform, and the keys that the load uses. */
export interface Ground {
  platform: Platform;
  /** By endpoint. */
  keys: Map<string, string>;
}

export interface Scenario {
  name: string;
  about: string;
  /** A call that had started on a scorer which was killed may be answered 503, unless it carries an Idempotency-Key. */
  mayRefuseStarted?: boolean;
  /** The change, once; `turn` counts from 0. Resolves when it has come to its end. */
  change(ground: Ground, turn: number): Promise<void>;
}

/** `inline`: the model runs in the data-plane process; `apart`: two instances, each in a process of its own. */
export const endpoints: Readonly<Record<string, { instances: number; more: string }>> = {
  inline: { instances: 1, more: 'instance_count: 1' },
  apart: { instances: 2, more: 'instance_count: 2\nproperties:\n  mooring.placement: process' },
};
export const endpointNames = Object.keys(endpoints);
/** The deployments of each endpoint; both have the same model. The first has all the traffic. */
export const deployments = ['blue', 'green'];

/** Every data-plane process knows of a new key by then. */
const keyKnownMs = 1_000;

const changes: readonly Scenario[] = [
  {
    name: 'roll',
    about: 'a rolling update of a deployment, of either endpoint in turn',
    change: ({ platform }, turn) => update(platform, turn, `environment_variables.RELEASE=${turn + 1}`),
  },
  {
    name: 'scale',
    about: 'one instance more, one instance less',
    change: ({ platform }, turn) => {
      const usual = endpoints[endpointOf(turn)]?.instances ?? 1;
      return update(platform, turn, `instance_count=${Math.floor(turn / 2) % 2 === 0 ? usual + 1 : usual}`);
    },
  },
  {
    name: 'promote',
    about: 'traffic from one deployment to the other, by way of 50/50',
    change: async ({ platform }, turn) => {
      const endpoint = endpointOf(turn);
      const [from, to] = Math.floor(turn / 2) % 2 === 0 ? deployments : deployments.toReversed();
      for (const traffic of [`${from}=50 ${to}=50`, `${from}=0 ${to}=100`]) {
        await platform.mooring('online-endpoint', 'update', '-n', endpoint, '--traffic', traffic);
      }
    },
  },
  {
    name: 'rotate-keys',
    about: 'callers move to the other key, and the one they had is made anew',
    change: async ({ platform, keys }, turn) => {
      const endpoint = endpointOf(turn);
      const toSecondary = Math.floor(turn / 2) % 2 === 0;
      keys.set(endpoint, await platform.key(endpoint, toSecondary ? 'secondaryKey' : 'primaryKey'));
      await delay(keyKnownMs);
      const type = toSecondary ? 'primary' : 'secondary';
      await platform.mooring('online-endpoint', 'regenerate-keys', '-n', endpoint, '--key-type', type);
    },
  },
];

const processes: Readonly<Record<Topology, { edge: readonly string[]; control: readonly string[] }>> = {
  default: { edge: ['edge'], control: ['control'] },
  single: { edge: ['platform'], control: [] },
  split: { edge: ['gateway', 'router'], control: ['registry', 'auth', 'controller', 'management'] },
};

/** All that there is to do to a platform of the topology. */
export function scenariosOf(topology: Topology): readonly Scenario[] {
  const { edge, control } = processes[topology];
  return [
    ...changes,
    ...[...edge, ...control, 'nats'].map(restartOf),
    killOfScorer,
    ...[...control, 'nats'].map(killOf),
  ];
}

function restartOf(name: string): Scenario {
  return {
    name: `restart-${name}`,
    about: `another process takes the place of ${name}`,
    change: async ({ platform }) => void (await platform.mooring('restart', name)),
  };
}

function killOf(name: string): Scenario {
  return {
    name: `kill-${name}`,
    about: `kill -9 of ${name}`,
    change: async ({ platform }) => {
      const found = platform.processes().find((process) => process.name === name);
      await kill(platform, found?.pid);
    },
  };
}

const killOfScorer: Scenario = {
  name: 'kill-scorer',
  about: 'kill -9 of one of two instances of a model in a process of its own',
  mayRefuseStarted: true,
  change: async ({ platform }, turn) => {
    const ready = (await platform.instances('apart')).filter(serves);
    await kill(platform, ready[turn % Math.max(1, ready.length)]?.pid);
  },
};

async function kill(platform: Platform, pid: number | undefined): Promise<void> {
  // 0 and less would mean a group of processes, or all of them.
  if (pid === undefined || pid <= 1) throw new Error('what is to be killed does not run');
  const before = new Map<string, number>();
  for (const name of endpointNames) before.set(name, (await platform.instances(name)).filter(serves).length);
  process.kill(pid, 'SIGKILL');
  await platform.whole(pid, before);
}

function serves({ state }: Instance): boolean {
  return state === 'ready';
}

function endpointOf(turn: number): string {
  return endpointNames[turn % endpointNames.length] ?? '';
}

async function update(platform: Platform, turn: number, setting: string): Promise<void> {
  await platform.mooring('online-deployment', 'update', '-n', 'blue', '-e', endpointOf(turn), '--set', setting);
}
