import type { Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { dataFolder, type DataFolder, type Environment } from '@mooring/config';
import { PlatformError } from '@mooring/errors';
import { checkNats } from '@mooring/messaging';
import { identify } from '@mooring/runtime';
import { superviseChild, type Replaced, type SupervisedChild } from './child.ts';
import { serveCommands } from './command-socket.ts';
import { claim, makeDataFolder, natsAccount, removeRecord, takeOver, writeRecord } from './data-folder.ts';
import { Doors, type PublicAddresses } from './doors.ts';
import { natsName, processesToRestart } from './restart-plan.ts';
import { settingsOf } from './settings-of.ts';
import { superviseNats, type SupervisedNats } from './supervised-nats.ts';
import { processesOf, type ProcessPlan, type TopologyName } from './topology.ts';

export interface SuperviseOptions extends PublicAddresses {
  data: string;
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

export interface RunningPlatform {
  /** Base URLs of `http` and `management`, `host:port` of `grpc`. */
  addresses: PublicAddresses;
  /** Lets callers go first, then the control plane with its scorers, NATS last. */
  stop(): Promise<void>;
}

const platformMain = fileURLToPath(new URL('../../../apps/platform/src/main.ts', import.meta.url));
const processStopMs = 45_000;
const recordAgainMs = 1_000;
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
  readonly #plans: readonly ProcessPlan[];
  readonly #facts: Record<string, string> = {};
  readonly #children: SupervisedChild[] = [];
  readonly #ready = new Set<string>();
  #doors: Doors | undefined;
  #commands: Server | undefined;
  #nats: SupervisedNats | undefined;
  #restarting = false;
  #recordAgain: NodeJS.Timeout | undefined;
  #onProgress: () => void = () => {};

  constructor(options: SuperviseOptions, folder: DataFolder) {
    this.#options = options;
    this.#folder = folder;
    this.#plans = processesOf(options.topology, options.edges);
  }

  async start(): Promise<void> {
    const { log, environment } = this.#options;
    await this.#startNats();
    const settings = { ...environment, MOORING_DATA: this.#options.data };
    this.#doors = await Doors.open(this.#plans, this.#options, settings);
    for (const plan of this.#plans) this.#children.push(this.#superviseChild(plan));
    this.#record();
    await this.#allReady();
    const socket = join(this.#folder.run, 'supervisor.sock');
    this.#commands = await serveCommands(socket, ({ restart }, onStep) => this.#restart(restart.process, onStep), log);
    this.#record();
  }

  addresses(): PublicAddresses {
    const { http = '', grpc = '', management = '' } = this.#facts;
    return { http, grpc, management };
  }

  async stop(): Promise<void> {
    this.#commands?.close();
    for (const child of this.#children.toReversed()) await child.stop(processStopMs);
    this.#doors?.close();
    await this.#nats?.stop();
    clearTimeout(this.#recordAgain);
    removeRecord(this.#folder);
  }

  /** One process after the other: callers notice nothing, and only one more than usual runs at a time. */
  async #restart(name: string | undefined, onStep: (step: string) => void): Promise<readonly Replaced[]> {
    if (this.#restarting) {
      const message = 'processes are being restarted already; try again when that has ended';
      throw new PlatformError('unavailable', 'RESTART_UNDER_WAY', message, { retryAfterMs: 5_000 });
    }
    const names = processesToRestart(this.#plans, name, this.#nats !== undefined);
    this.#restarting = true;
    const replaced: Replaced[] = [];
    try {
      for (const each of names) replaced.push(await this.#replace(each, onStep));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new PlatformError('unavailable', 'NOT_RESTARTED', message, { cause: error });
    } finally {
      this.#restarting = false;
    }
    return replaced;
  }

  async #replace(name: string, onStep: (step: string) => void): Promise<Replaced> {
    this.#options.log.info({ process: name }, 'restart asked for');
    const child = this.#children.find((one) => one.name === name);
    if (child !== undefined) return child.replace(onStep);
    const nats = this.#nats;
    if (nats === undefined) throw new Error(`${name} does not run here`);
    const startedAt = performance.now();
    const oldPid = nats.identity()?.pid;
    onStep('restarting NATS');
    await nats.restart();
    const readyMs = Math.round(performance.now() - startedAt);
    return { process: natsName, oldPid, pid: nats.identity()?.pid, readyMs, drainMs: 0 };
  }

  async #startNats(): Promise<void> {
    const { log, natsUrl, environment } = this.#options;
    if (natsUrl === undefined) {
      const account = natsAccount(this.#folder);
      const onRestart = (): void => this.#record();
      this.#nats = await superviseNats({ dataDir: this.#folder.nats, ...account, log, onRestart });
      return;
    }
    const { MOORING_NATS_USER: user, MOORING_NATS_PASSWORD: password } = environment;
    log.info('asking the NATS of --nats whether it serves');
    await checkNats({ url: natsUrl, user, password });
  }

  #superviseChild(plan: ProcessPlan): SupervisedChild {
    let lent: ReturnType<Doors['lend']> | undefined;
    return superviseChild({
      name: plan.name,
      program: process.execPath,
      args: [platformMain, `--target=${plan.targets.join(',')}`],
      environment: (lastExit) => ({
        ...this.#options.environment,
        ...this.#settings(plan.name),
        ...plan.environment,
        ...lent?.environment,
        MOORING_LAST_EXIT: lastExit,
      }),
      handles: () => {
        lent = this.#doors?.lend(plan.name);
        return lent?.handles ?? [];
      },
      logsDir: this.#folder.logs,
      log: this.#options.log,
      onReady: (facts) => this.#served(plan.name, facts),
      onChange: () => this.#record(),
      onFailing: () => this.#doors?.withdraw(plan.name),
    });
  }

  #served(name: string, facts: Readonly<Record<string, string>>): void {
    Object.assign(this.#facts, facts);
    this.#ready.add(name);
    this.#record();
    this.#onProgress();
  }

  #allReady(): Promise<void> {
    const names = this.#plans.map(({ name }) => name);
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

  #settings(name: string): NodeJS.ProcessEnv {
    const { data, natsUrl } = this.#options;
    const nats = this.#nats === undefined ? natsUrl : { url: this.#nats.url, ...natsAccount(this.#folder) };
    return settingsOf(name, data, nats, this.#doors?.addresses ?? this.#options);
  }

  /** A full disk must not end the supervisor: what cannot be written now is written when there is room. */
  #record(): void {
    try {
      this.#write();
    } catch (error) {
      this.#options.log.error({ err: error }, 'which processes run could not be written down; trying again');
      clearTimeout(this.#recordAgain);
      this.#recordAgain = setTimeout(() => this.#record(), recordAgainMs).unref();
    }
  }

  #write(): void {
    const self = identify(process.pid);
    const nats = this.#nats?.identity();
    const children = this.#children.flatMap((child) => child.identities().map((one) => ({ name: child.name, ...one })));
    writeRecord(this.#folder, {
      pid: process.pid,
      startTicks: self?.startTicks ?? 0,
      ...this.addresses(),
      children: [...children, ...(nats === undefined ? [] : [{ name: natsName, ...nats }])],
    });
  }
}
