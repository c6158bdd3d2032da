import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { dataFolder, type DataFolder, type Environment } from '@mooring/config';
import { checkNats } from '@mooring/messaging';
import { identify } from '@mooring/runtime';
import { superviseChild, type SupervisedChild } from './child.ts';
import { claim, makeDataFolder, natsAccount, removeRecord, takeOver, writeRecord } from './data-folder.ts';
import { superviseNats, type SupervisedNats } from './supervised-nats.ts';
import { processesOf, type ProcessPlan, type TopologyName } from './topology.ts';

export interface SuperviseOptions {
  data: string;
  http: string;
  grpc: string;
  management: string;
  topology: TopologyName;
  /** Data-plane processes on the same ports; 1 when absent. */
  edges?: number;
  /** An existing NATS instead of an own one; its account in the URL, or MOORING_NATS_USER and _PASSWORD. */
  natsUrl?: string;
  environment: Environment;
  log: Logger;
  /** How long the first start may take. */
  startTimeoutMs?: number;
}

export interface Addresses {
  http: string;
  grpc: string;
  management: string;
}

export interface RunningPlatform {
  addresses: Addresses;
  /** Lets callers go first, then the control plane with its scorers, NATS last. */
  stop(): Promise<void>;
}

const platformMain = fileURLToPath(new URL('../../../apps/platform/src/main.ts', import.meta.url));
const processStopMs = 45_000;
const defaultStartTimeoutMs = 60_000;

/** Starts the processes of the topology, keeps them running, and resolves when the platform serves. */
export async function supervise(options: SuperviseOptions): Promise<RunningPlatform> {
  const folder = dataFolder(options.data);
  makeDataFolder(folder);
  await takeOver(folder);
  claim(folder);
  const supervisor = new Supervisor(options, folder);
  try {
    await supervisor.start();
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
  return { addresses: supervisor.addresses(), stop: () => supervisor.stop() };
}

/** Holds what changes while the platform runs: children, and the facts that they report. */
class Supervisor {
  readonly #options: SuperviseOptions;
  readonly #folder: DataFolder;
  readonly #facts: Record<string, string> = {};
  readonly #children: SupervisedChild[] = [];
  readonly #ready = new Set<string>();
  #nats: SupervisedNats | undefined;
  #onProgress: () => void = () => {};

  constructor(options: SuperviseOptions, folder: DataFolder) {
    this.#options = options;
    this.#folder = folder;
  }

  async start(): Promise<void> {
    const { log, natsUrl, environment } = this.#options;
    if (natsUrl === undefined) {
      const account = natsAccount(this.#folder);
      this.#nats = await superviseNats({
        dataDir: this.#folder.nats,
        ...account,
        log,
        onRestart: () => this.#record(),
      });
    } else {
      const { MOORING_NATS_USER: user, MOORING_NATS_PASSWORD: password } = environment;
      log.info('asking the NATS of --nats whether it serves');
      await checkNats({ url: natsUrl, user, password });
    }
    const { topology, edges } = this.#options;
    const plans = processesOf(topology, edges);
    const first = plans.filter(({ name }) => !name.startsWith('edge-'));
    await this.#startAll(first);
    await this.#startAll(plans.slice(first.length));
  }

  async #startAll(plans: readonly ProcessPlan[]): Promise<void> {
    for (const plan of plans) {
      const child = superviseChild({
        name: plan.name,
        program: process.execPath,
        args: [platformMain, `--target=${plan.targets.join(',')}`],
        environment: (lastExit) => ({
          ...this.#environment(plan.name),
          ...plan.environment,
          MOORING_LAST_EXIT: lastExit,
        }),
        logsDir: this.#folder.logs,
        log: this.#options.log,
        onReady: (facts) => this.#served(plan.name, facts),
      });
      this.#children.push(child);
    }
    this.#record();
    await this.#allReady(plans.map((plan) => plan.name));
    this.#record();
  }

  addresses(): Addresses {
    const { http = '', grpc = '', management = '' } = this.#facts;
    return { http, grpc, management };
  }

  async stop(): Promise<void> {
    for (const child of this.#children.toReversed()) await child.stop(processStopMs);
    await this.#nats?.stop();
    removeRecord(this.#folder);
  }

  #served(name: string, facts: Readonly<Record<string, string>>): void {
    Object.assign(this.#facts, facts);
    this.#ready.add(name);
    this.#record();
    this.#onProgress();
  }

  #allReady(names: readonly string[]): Promise<void> {
    const timeoutMs = this.#options.startTimeoutMs ?? defaultStartTimeoutMs;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const missing = names.filter((name) => !this.#ready.has(name)).join(', ');
        reject(new Error(`not ready within ${timeoutMs / 1000} s: ${missing}; see the logs in ${this.#folder.logs}`));
      }, timeoutMs);
      this.#onProgress = () => {
        if (!names.every((name) => this.#ready.has(name))) return;
        clearTimeout(timer);
        resolve();
      };
      this.#onProgress();
    });
  }

  /** An address with port 0 is a free port at first; after a restart callers must find it where it was. */
  #environment(name: string): NodeJS.ProcessEnv {
    const { http, grpc, management, data, environment, natsUrl } = this.#options;
    const own = this.#nats === undefined ? undefined : natsAccount(this.#folder);
    const hostOf = (url: string | undefined, asked: string): string => url?.replace(/^https?:\/\//, '') ?? asked;
    return {
      ...environment,
      MOORING_DATA: data,
      MOORING_PROCESS_NAME: name,
      MOORING_NATS_URL: this.#nats?.url ?? natsUrl,
      ...(own === undefined ? {} : { MOORING_NATS_USER: own.user, MOORING_NATS_PASSWORD: own.password }),
      MOORING_GATEWAY_HTTP: hostOf(this.#facts['http'], http),
      MOORING_ROUTER_GRPC: hostOf(this.#facts['grpc'], grpc),
      MOORING_MANAGEMENT_HTTP: hostOf(this.#facts['management'], management),
    };
  }

  #record(): void {
    const self = identify(process.pid);
    const named = [
      ...this.#children.map((child) => ({ name: child.name, identity: child.identity() })),
      { name: 'nats', identity: this.#nats?.identity() },
    ];
    writeRecord(this.#folder, {
      pid: process.pid,
      startTicks: self?.startTicks ?? 0,
      ...this.addresses(),
      children: named.flatMap(({ name, identity }) => (identity === undefined ? [] : [{ name, ...identity }])),
    });
  }
}
