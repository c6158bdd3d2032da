import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dataFolder, type DataFolder } from '@mooring/config';
import { BatchServiceClient } from '@mooring/contracts/batch';
import { RegistryServiceClient } from '@mooring/contracts/registry';
import {
  batchJobDefaults,
  type BatchJobSettings,
  type JobRecord,
  type JobStatus,
  type ModelBatchDeploymentSpec,
  type ResourceKind,
  type SpecByKind,
  type Stored,
} from '@mooring/domain';
import { batchDeploymentSpec, batchEndpointSpec, codeSpec, modelSpec } from '@mooring/domain/testing';
import { createClient, type RpcClient } from '@mooring/rpc';
import { Child, until } from '../../bench/processes/child.ts';
import { withDescendants } from '../../bench/processes/proc.ts';
import { modelFile } from '../cases.ts';
import { kill, Platform, type Topology } from '../platform.ts';
import { writeInput } from './expected.ts';
import { Volume } from './volume.ts';

const script = fileURLToPath(new URL('score.py', import.meta.url));
const platformMain = fileURLToPath(new URL('../../../apps/platform/src/main.ts', import.meta.url));
const volumeMib = 2_048;
const callMs = 10_000;
const settledMs = 120_000;
const wholeMs = 60_000;
const runLogLineBytes = 9;

/** What `verifyJob` found, as far as it is looked at here. */
export interface Verified {
  ok: boolean;
  missing: number;
  twice: number;
  problems: string[];
}

export interface GroundOptions {
  /** A disk of its own, that can be filled. */
  volume: boolean;
  /** Another worker beside the platform's own. */
  twin: boolean;
  settings: NodeJS.ProcessEnv;
  /** `split`, so that each service can be struck alone, unless given. */
  topology?: Topology;
}

/** A platform, with a process for each service unless told otherwise, and a batch endpoint `night`; talked to over gRPC, past the doors. */
export class BatchGround {
  readonly platform: Platform;
  readonly folder: DataFolder;
  readonly #options: GroundOptions;
  readonly #signal: AbortSignal;
  readonly #volume: Volume | undefined;
  readonly #jobs: RpcClient<BatchServiceClient>;
  /** Not on the disk that may be full: what the scripts themselves cannot write is their own failure. */
  readonly #logs = mkdtempSync(join(tmpdir(), 'mooring-runs-'));
  #twin: Child | undefined;

  constructor(options: GroundOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.platform = new Platform(signal);
    this.folder = dataFolder(this.platform.data);
    this.#volume = options.volume ? Volume.mount(this.platform.data, volumeMib) : undefined;
    this.#jobs = createClient(BatchServiceClient, this.#socket('batch-scheduler'), callMs);
  }

  get volume(): Volume {
    if (this.#volume === undefined) throw new Error('this ground has no disk of its own');
    return this.#volume;
  }

  /** Also after everything was killed. */
  async start(): Promise<void> {
    await this.platform.start(this.#options.topology ?? 'split', undefined, this.#options.settings);
    if (this.#options.twin) await this.startTwin();
  }

  /** A copy of what its processes wrote, for when something went wrong. */
  keepLogs(): string {
    const kept = mkdtempSync(join(tmpdir(), 'mooring-logs-'));
    cpSync(this.folder.logs, kept, { recursive: true });
    cpSync(join(this.folder.nats, 'nats.log'), join(kept, 'nats.log'));
    return kept;
  }

  async stop(): Promise<void> {
    this.#jobs.close();
    await this.#twin?.stop(10_000);
    await this.platform.stop(() => this.#volume?.unmount());
    rmSync(this.#logs, { recursive: true, force: true });
  }

  /** A deployment of the script, and an input of so many files for it. */
  async deploy(
    name: string,
    job: Partial<BatchJobSettings>,
    secondsPerFile: number,
    /** It takes this time of a core, instead of waiting. */
    busy = false,
  ): Promise<void> {
    const environmentVariables = {
      RUNS_LOG: this.#runsLog(name),
      SECONDS_PER_FILE: String(secondsPerFile),
      BUSY: busy ? '1' : '0',
    };
    writeFileSync(this.#runsLog(name), '');
    await this.deploySpec(name, { environmentVariables, job: { ...batchJobDefaults, ...job } }, script);
  }

  /** A deployment of the iris model over rows; of a script over files, where there is one. */
  async deploySpec(name: string, spec: Partial<ModelBatchDeploymentSpec>, scriptFile?: string): Promise<void> {
    await this.putting(async (put) => {
      await put('model', 'iris/1', modelSpec({ path: this.#asset(modelFile, 'models/iris-1') }));
      await put('batch-endpoint', 'night', batchEndpointSpec());
      const code: Partial<ModelBatchDeploymentSpec> = {};
      if (scriptFile !== undefined) {
        const stem = basename(scriptFile, '.py').replaceAll('_', '-');
        const path = this.#asset(scriptFile, `codes/${stem}-1`);
        await put('code', `${stem}/1`, codeSpec({ path: dirname(path) }));
        code.code = { codeKey: `${stem}/1`, scoringScript: basename(scriptFile) };
      }
      await put('batch-deployment', `night/${name}`, batchDeploymentSpec({ model: 'iris/1', ...code, ...spec }));
    });
  }

  /** Resources that are stored and settled, one after the other. */
  async putting(
    work: (put: <K extends ResourceKind>(kind: K, key: string, spec: SpecByKind[K]) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const registry = createClient(RegistryServiceClient, this.#socket('registry'), callMs);
    try {
      await work(async (kind, key, spec) => {
        const specJson = JSON.stringify(spec);
        await registry.call('putResource', { kind, key, specJson, ifMatch: '', principal: 'load-tests' });
        await this.#settled(registry, kind, key);
      });
    } finally {
      registry.close();
    }
  }

  /** Copies a file to a folder of the artifact store, once; gives its path there. */
  #asset(from: string, folder: string): string {
    const path = `${folder}/${basename(from)}`;
    const to = join(this.folder.artifacts, path);
    if (!existsSync(to)) {
      mkdirSync(dirname(to), { recursive: true });
      cpSync(from, to);
    }
    return path;
  }

  writeInput(files: number): void {
    writeInput(join(this.folder.artifacts, 'data', `files-${files}`), files);
  }

  /**
   * Accepted once, however often it has to be asked until there is an answer. `input`: of so many files of `writeInput`, or a path in the
   * container `data`.
   */
  async submit(deployment: string, name: string, input: number | string): Promise<void> {
    const uri = `azureml://datastores/data/paths/${typeof input === 'string' ? input : `files-${input}`}`;
    const inputData = { files: { jobInputType: 'uri_folder', uri } };
    const jobJson = JSON.stringify({ properties: { name, inputData } });
    const request = { endpoint: 'night', deployment, jobJson, idempotencyKey: name, principal: 'load-tests' };
    await this.#answered(`job ${name} to be accepted`, () => this.#jobs.call('submitJob', request));
  }

  async job(name: string): Promise<JobRecord> {
    const { jobJson } = await this.#jobs.call('getJob', { name });
    return JSON.parse(jobJson) as JobRecord;
  }

  async cancel(name: string): Promise<void> {
    await this.#answered(`job ${name} to be cancelled`, () => this.#jobs.call('cancelJob', { name }));
  }

  /** Cancels it and waits for its end. */
  async cancelled(name: string): Promise<JobRecord> {
    await this.cancel(name);
    return this.until(name, ['Canceled', 'Completed', 'Failed'], settledMs);
  }

  async resume(name: string): Promise<void> {
    await this.#jobs.call('resumeJob', { name });
  }

  /** Waits until the job is one of these. */
  async until(name: string, statuses: readonly JobStatus[], timeoutMs: number): Promise<JobRecord> {
    let job: JobRecord | undefined;
    const check = async (): Promise<boolean> => {
      job = await this.job(name);
      return statuses.includes(job.status);
    };
    const why = (): string => {
      const seen =
        job === undefined ? 'cannot be asked for' : `${job.status} ${JSON.stringify(job.error ?? job.progress)}`;
      return `job ${name} is not ${statuses.join(' or ')} after ${timeoutMs / 1_000} s: ${seen}`;
    };
    await until(check, timeoutMs, this.#signal, why);
    return job as JobRecord;
  }

  async verify(name: string): Promise<Verified> {
    const call = (): Promise<{ verificationJson: string }> =>
      this.#jobs.call('verifyJob', { name }, { deadlineMs: settledMs });
    return JSON.parse((await this.#answered(`job ${name} to be verified`, call)).verificationJson) as Verified;
  }

  /** Every run of the script of a deployment raises, until it is mended. */
  breakScript(deployment: string, broken: boolean): void {
    const mark = `${this.#runsLog(deployment)}.broken`;
    if (broken) writeFileSync(mark, '');
    else rmSync(mark);
  }

  /** Mini-batches that the script of a deployment has begun to run since it was made. */
  runs(deployment: string): number {
    return Math.floor(statSync(this.#runsLog(deployment)).size / runLogLineBytes);
  }

  /** Files in the runs of a deployment from the run numbered `from` on. */
  filesRun(deployment: string, from: number): number {
    const lines = readFileSync(this.#runsLog(deployment), 'utf8').split('\n').slice(from, -1);
    return lines.reduce((sum, line) => sum + Number(line), 0);
  }

  pidOf(name: string): number {
    const found = this.platform.processes().find((process) => process.name === name);
    if (found === undefined) throw new Error(`${name} does not run`);
    return found.pid;
  }

  /** A worker like the platform's own, which nobody starts again. */
  async startTwin(): Promise<void> {
    await this.killTwin();
    const own = environmentOf(this.pidOf('worker'));
    const drop = Object.keys(own).filter((name) => /^NODE_CHANNEL|_LISTEN_FD$|^MOORING_LAST_EXIT$/.test(name));
    const env = {
      ...own,
      ...Object.fromEntries(drop.map((name) => [name, undefined])),
      MOORING_PROCESS_NAME: 'twin',
      MOORING_WORKER_ADDRESS: `unix:${join(this.folder.run, 'twin.sock')}`,
    };
    this.#twin = Child.program('another worker', process.execPath, [platformMain, '--target=worker'], env);
  }

  async killTwin(): Promise<void> {
    if (this.#twin !== undefined) kill(this.#twin.pid, 'SIGKILL');
    await this.#twin?.stop(0);
  }

  /** Processes of jobs, of every worker. */
  runners(): number[] {
    const workers = [this.pidOf('worker'), ...(this.#twin === undefined ? [] : [this.#twin.pid])];
    return workers.flatMap((worker) => withDescendants([worker]).filter((pid) => pid !== worker));
  }

  /** Waits until every process of the platform is there and lives; `killed`: one that was killed just now and may still be named. */
  async whole(killed = 0): Promise<void> {
    const names = [
      'nats',
      'auth',
      'registry',
      'controller',
      'batch-scheduler',
      'worker',
      'management',
      'router',
      'gateway',
    ];
    const isWhole = async (): Promise<boolean> =>
      names.every((name) => this.pidOf(name) !== killed && existsSync(`/proc/${this.pidOf(name)}`)) &&
      (await this.#jobs.call('listJobs', { endpoint: '', pageSize: 1, pageToken: '' })) !== undefined;
    await until(isWhole, wholeMs, this.#signal, () => `the platform is not whole ${wholeMs / 1_000} s after the fault`);
  }

  #socket(service: string): string {
    return `unix:${join(this.folder.run, `${service}.sock`)}`;
  }

  #runsLog(deployment: string): string {
    return join(this.#logs, `${deployment}.log`);
  }

  async #settled(registry: RpcClient<RegistryServiceClient>, kind: ResourceKind, key: string): Promise<void> {
    let state = '';
    const isOver = async (): Promise<boolean> => {
      const { resource } = await registry.call('getResource', { kind, key });
      const stored = JSON.parse(resource?.documentJson ?? '') as Stored;
      state = `${stored.state} ${JSON.stringify(stored.operation)}`;
      if (stored.state === 'Failed') throw new Error(state);
      return stored.operation.status !== 'InProgress';
    };
    await until(isOver, settledMs, this.#signal, () => `${kind} ${key} is ${state}`);
  }

  /** Asks again while there is no answer: the platform may be away in parts. */
  async #answered<T>(what: string, call: () => Promise<T>): Promise<T> {
    let answer: T | undefined;
    let last: unknown;
    const check = async (): Promise<boolean> => {
      try {
        answer = await call();
        return true;
      } catch (error) {
        last = error;
        return false;
      }
    };
    await until(check, settledMs, this.#signal, () => `waited for ${what}: ${String(last)}`);
    return answer as T;
  }
}

function environmentOf(pid: number): NodeJS.ProcessEnv {
  const entries = readFileSync(`/proc/${pid}/environ`, 'utf8')
    .split('\0')
    .filter((entry) => entry.includes('='));
  return Object.fromEntries(
    entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
}
