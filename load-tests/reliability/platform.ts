import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child, until } from '../bench/processes/child.ts';
import { withDescendants } from '../bench/processes/proc.ts';
import { modelFile } from './cases.ts';

const cli = fileURLToPath(new URL('../../apps/cli/src/main.ts', import.meta.url));
const startMs = 120_000;
const commandMs = 240_000;
const wholeMs = 60_000;
const workspace =
  '/subscriptions/local/resourceGroups/local/providers/Microsoft.MachineLearningServices/workspaces/default';

export type Topology = 'default' | 'single' | 'split';
export const topologies: readonly Topology[] = ['default', 'single', 'split'];

export interface Instance {
  id: string;
  pid: number;
  state: string;
}

interface Process {
  name: string;
  pid: number;
}

/** A platform in a data folder of its own, changed by the command line as a user would. */
export class Platform {
  readonly data = mkdtempSync(join(tmpdir(), 'mooring-reliability-'));
  readonly #signal: AbortSignal;
  #up: Child | undefined;
  http = '';
  grpc = '';
  management = '';

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Also after all of it was killed. `settings`: of its processes. */
  async start(topology: Topology, edges: number | undefined, settings: NodeJS.ProcessEnv = {}): Promise<void> {
    const free = '127.0.0.1:0';
    const args = ['up', '--data', this.data, '--http', free, '--grpc', free, '--management', free];
    const edge = edges === undefined ? [] : ['--edge', String(edges)];
    const quiet = { MOORING_LOG_LEVEL: 'warn', MOORING_GATEWAY_ACCESS_LOG: 'off' };
    const env = { ...this.#environment(), ...quiet, ...settings };
    const up = (this.#up = Child.program(
      'mooring up',
      process.execPath,
      [cli, ...args, '--topology', topology, ...edge],
      env,
    ));
    await until(
      async () => {
        if (up.isGone) throw new Error(up.ended());
        const found = /^ready http=(\S+) grpc=(\S+) management=(\S+)$/m.exec(up.log);
        if (found === null) return false;
        [this.http, this.grpc, this.management] = found.slice(1) as [string, string, string];
        return true;
      },
      startMs,
      this.#signal,
      () => `mooring up was not ready in time; the last it wrote:\n${up.log}`,
    );
  }

  /** `beforeRemoval`: when all of it has ended and its files are still there. */
  async stop(beforeRemoval: () => void = () => undefined): Promise<void> {
    await this.#up?.stop(120_000);
    beforeRemoval();
    rmSync(this.data, { recursive: true, force: true });
  }

  /** kill -9 of the supervisor and of everything that it started. */
  async killAll(): Promise<void> {
    for (const pid of withDescendants(this.#up === undefined ? [] : [this.#up.pid])) kill(pid, 'SIGKILL');
    await this.#up?.stop(0);
  }

  /** Runs `mooring <args> -o json` and gives what it printed. */
  async mooring<T = unknown>(...args: string[]): Promise<T> {
    const what = `mooring ${args.join(' ')}`;
    const child = Child.program(what, process.execPath, [cli, ...args, '-o', 'json'], this.#environment());
    let stdout = '';
    child.process.stdout?.on('data', (text: Buffer) => (stdout += text.toString()));
    let closed = false;
    child.process.once('close', () => (closed = true));
    await until(
      async () => closed,
      commandMs,
      this.#signal,
      () => `${what} did not end in time`,
    ).finally(() => (closed ? undefined : child.stop(1_000)));
    if (child.process.exitCode !== 0) throw new Error(child.ended());
    return (stdout.trim() === '' ? undefined : JSON.parse(stdout)) as T;
  }

  /** An endpoint with a deployment for each name, all of the same model; the first one gets all traffic. */
  async deploy(endpoint: string, deployments: readonly string[], more: string): Promise<void> {
    const folder = mkdtempSync(join(this.data, 'yaml-'));
    const file = join(folder, 'file.yml');
    writeFileSync(file, `name: ${endpoint}\nauth_mode: key\n`);
    await this.mooring('online-endpoint', 'create', '-f', file);
    for (const [index, name] of deployments.entries()) {
      writeFileSync(file, yamlOf(endpoint, name, more, modelFile));
      const traffic = index === 0 ? ['--all-traffic'] : [];
      await this.mooring('online-deployment', 'create', '-f', file, ...traffic);
    }
  }

  async key(endpoint: string, which: 'primaryKey' | 'secondaryKey'): Promise<string> {
    const keys = await this.mooring<Record<string, string>>('online-endpoint', 'get-credentials', '-n', endpoint);
    return keys[which] ?? '';
  }

  processes(): readonly Process[] {
    const record = JSON.parse(readFileSync(join(this.data, 'run/supervisor.json'), 'utf8')) as { children: Process[] };
    return record.children;
  }

  async instances(endpoint: string): Promise<readonly Instance[]> {
    return (await this.#get<{ value: Instance[] }>(`${workspace}/onlineEndpoints/${endpoint}/instances`)).value;
  }

  /** To be called at once after the kill: waits until `pid` is gone from processes and instances, every process is there, and each endpoint has so many instances that are ready. */
  async whole(pid: number, instances: ReadonlyMap<string, number>): Promise<void> {
    const names = this.processes().map(({ name }) => name);
    const isWhole = async (): Promise<boolean> => {
      const present = this.processes();
      if (present.some((process) => process.pid === pid)) return false;
      if (names.some((name) => !present.some((process) => process.name === name))) return false;
      for (const [endpoint, count] of instances) {
        const ready = (await this.instances(endpoint)).filter(({ state }) => state === 'ready');
        if (ready.length !== count || ready.some((one) => one.pid === pid)) return false;
      }
      return true;
    };
    await until(isWhole, wholeMs, this.#signal, () => `the platform is not whole ${wholeMs / 1_000} s after the kill`);
  }

  /** Calls given to another instance, by every process that tells now. */
  async retries(): Promise<ReadonlyMap<string, number>> {
    const page = await this.#text('/metrics');
    return new Map(
      [...page.matchAll(/^router_retries_total(\{.*\}) (\S+)$/gm)].map(([, labels = '', value]) => [
        labels,
        Number(value),
      ]),
    );
  }

  async #get<T>(path: string): Promise<T> {
    return JSON.parse(await this.#text(path)) as T;
  }

  async #text(path: string): Promise<string> {
    const token = readFileSync(join(this.data, 'secrets', 'admin.token'), 'utf8').trim();
    const headers = { authorization: `Bearer ${token}` };
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(10_000)]);
    const answer = await fetch(`${this.management}${path}`, { headers, signal });
    if (!answer.ok) throw new Error(`${path} was answered ${answer.status}`);
    return answer.text();
  }

  /** A user's own settings must not lead the commands to another platform. */
  #environment(): NodeJS.ProcessEnv {
    const own = Object.keys(process.env).filter((name) => name.startsWith('MOORING_') || name.startsWith('OTEL_'));
    return { ...Object.fromEntries(own.map((name) => [name, undefined])), MOORING_DATA: this.data };
  }
}

/** False when the process has just ended by itself. */
export function kill(pid: number, signal: NodeJS.Signals): boolean {
  // 0 and less would mean a group of processes, or all of them.
  if (pid <= 1) throw new Error('what is to be killed does not run');
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** `model`: the file; absent for a scoring script that needs none. */
export function yamlOf(endpoint: string, name: string, more: string, model: string | undefined): string {
  const probe = 'initial_delay: 1, period: 1, timeout: 2, success_threshold: 1, failure_threshold: 30';
  return [
    `name: ${name}`,
    `endpoint_name: ${endpoint}`,
    model === undefined ? '' : `model: {path: ${model}}`,
    'instance_type: Standard_DS2_v2',
    `liveness_probe: {${probe}}`,
    `readiness_probe: {${probe}}`,
    more.includes('request_settings:')
      ? ''
      : 'request_settings: {request_timeout_ms: 15000, max_concurrent_requests_per_instance: 256}',
    more,
    '',
  ].join('\n');
}
