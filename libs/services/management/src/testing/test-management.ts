import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { pino, type Logger } from 'pino';
import { AuthServiceClient } from '@mooring/contracts/auth';
import { BatchServiceClient } from '@mooring/contracts/batch';
import { ControllerServiceService, type ControllerServiceServer } from '@mooring/contracts/controller';
import { RegistryServiceClient } from '@mooring/contracts/registry';
import { dataFolder } from '@mooring/config';
import type { BatchLaunch, JobRecord, Operation, Resource, ResourceKind } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { createClient, service, startGrpcServer, unary, type RpcClient } from '@mooring/rpc';
import { startModules, type RunningModules } from '@mooring/runtime';
import { managementModule } from '../index.ts';

export const workspace =
  '/subscriptions/local/resourceGroups/local/providers/Microsoft.MachineLearningServices/workspaces/default';

export interface Answered {
  status: number;
  headers: Headers;
  text: string;
  /** Parsed where it is JSON. */
  json: any; // oxlint-disable-line typescript/no-explicit-any -- specs look into many shapes
}

export interface Asked {
  body?: unknown;
  /** Sent as it is instead of `body`. */
  raw?: string | Uint8Array<ArrayBuffer>;
  headers?: Readonly<Record<string, string>>;
  /** `none`: without the token. */
  token?: string;
}

/** Management itself in this process, over a real NATS, and auth and the registry as processes. */
export interface TestManagement {
  url: string;
  token: string;
  registry: RegistryView;
  /** Folder of the artifact store. */
  artifacts: string;
  /** Lines that were logged. */
  logged: string[];
  /** A path that does not begin with a slash is below the workspace. */
  send(method: string, path: string, asked?: Asked): Promise<Answered>;
  /** What the controller does first for a new endpoint. */
  ensureKeys(endpoint: string): Promise<void>;
  /** What the gateway does with a body that is posted to a batch endpoint: the name of the job. */
  submitJob(endpoint: string, body: unknown): Promise<string>;
  stopRegistry(): Promise<void>;
  startRegistry(): Promise<void>;
  stopAuth(): Promise<void>;
  /** Management alone ends, as when another process has taken its place. */
  retire(): Promise<void>;
  stop(): Promise<void>;
}

const mainOf = (app: string): string =>
  fileURLToPath(new URL(`../../../../../apps/${app}/src/main.ts`, import.meta.url));

/** What a controller tells the registry, and a look at what is stored. */
export interface RegistryView {
  report(kind: ResourceKind, key: string, step: string): Promise<void>;
  /** Ends the running operation of a resource. */
  end(kind: ResourceKind, key: string, status: 'Succeeded' | 'Failed', error?: Operation['error']): Promise<void>;
  /** Takes a deleted resource away. */
  finish(kind: ResourceKind, key: string): Promise<void>;
  has(kind: ResourceKind, key: string): Promise<boolean>;
}

export interface TestSettings {
  /** How to reach NATS, as `startTestNats` gives it. */
  nats: { environment: Readonly<Record<string, string>> };
  /** An empty folder; the caller removes it. */
  data: string;
  /** More variables. */
  environment?: Readonly<Record<string, string>>;
  /** Starts the batch-scheduler, too, with a controller that finds everything ready; no worker. */
  jobs?: boolean;
}

export async function startTestManagement(settings: TestSettings): Promise<TestManagement> {
  const folder = dataFolder(settings.data);
  const environment = {
    ...settings.nats.environment,
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    MOORING_DATA: settings.data,
    MOORING_NATS_DEADLINE_MS: '1500',
    MOORING_MANAGEMENT_HTTP: '127.0.0.1:0',
    ...settings.environment,
  };
  const auth = await startChild(mainOf('auth'), environment);
  let registry = await startChild(mainOf('registry'), environment);
  const jobs = settings.jobs === true ? await startJobs(folder.run, environment) : undefined;
  const logged: string[] = [];
  const log = collectingLog(logged);
  const socket = join(folder.run, 'auth.sock');
  const token = readFileSync(folder.adminTokenFile, 'utf8').trim();
  const running: RunningModules = await startModules([managementModule], { environment, log });
  const url = running.facts()['management'] ?? '';
  const management: TestManagement = {
    url,
    token,
    registry: viewRegistry(`unix:${join(folder.run, 'registry.sock')}`),
    artifacts: folder.artifacts,
    logged,
    send: (method, path, asked = {}) => send(url, method, path, { token, ...asked }),
    ensureKeys: async (endpoint) => {
      const client = createClient(AuthServiceClient, `unix:${socket}`);
      await client.call('ensureEndpointKeys', { endpoint });
      client.close();
    },
    submitJob: async (endpoint, body) => {
      const client = createClient(BatchServiceClient, `unix:${join(folder.run, 'batch-scheduler.sock')}`);
      const request = { endpoint, jobJson: JSON.stringify(body), deployment: '', idempotencyKey: '', principal: 'x' };
      const { jobJson } = await client.call('submitJob', request);
      client.close();
      return (JSON.parse(jobJson) as JobRecord).name;
    },
    stopRegistry: () => endChild(registry),
    startRegistry: async () => {
      registry = await startChild(mainOf('registry'), environment);
    },
    stopAuth: () => endChild(auth),
    retire: async () => void (await running.stop(10_000, 'replaced')),
    stop: async () => {
      await running.stop(5_000);
      await jobs?.stop();
      await endChild(registry);
      await endChild(auth);
    },
  };
  return management;
}

/** A controller that says of every job that what it runs with is ready. */
async function startJobs(run: string, environment: NodeJS.ProcessEnv): Promise<{ stop(): Promise<void> }> {
  const log = pino({ enabled: false });
  const launch: BatchLaunch = {
    runtime: { kind: 'python', interpreter: 'python3', codeDir: '/', scoringScript: 'score.py', workerCount: 1 },
    environmentVariables: {},
    limits: { cpu: 1, memoryMib: 256 },
    warnings: [],
  };
  const answers: Partial<ControllerServiceServer> = {
    prepareBatch: unary(log, () => ({ launchJson: JSON.stringify(launch) })),
  };
  const controller = await startGrpcServer({
    address: `unix:${join(run, 'controller.sock')}`,
    services: [service(ControllerServiceService, answers as ControllerServiceServer)],
    log,
    ready: () => true,
  });
  const scheduler = await startChild(mainOf('batch-scheduler'), environment);
  return {
    stop: async () => {
      await endChild(scheduler);
      await controller.stop(AbortSignal.timeout(1_000));
    },
  };
}

function viewRegistry(address: string): RegistryView {
  const asking = async <T>(ask: (client: RpcClient<RegistryServiceClient>) => Promise<T>): Promise<T> => {
    const client = createClient(RegistryServiceClient, address);
    try {
      return await ask(client);
    } finally {
      client.close();
    }
  };
  const report = (
    kind: ResourceKind,
    key: string,
    told: { status: string; step?: string; error?: Operation['error'] },
  ) =>
    asking(async (client) => {
      const { resource } = await client.call('getResource', { kind, key });
      const { generation } = JSON.parse(resource?.documentJson ?? '{}') as Resource;
      await client.call('reportOperation', {
        kind,
        key,
        generation,
        status: told.status,
        step: told.step ?? '',
        percentComplete: 10,
        errorCode: told.error?.code ?? '',
        errorMessage: told.error?.message ?? '',
        warnings: [],
      });
    });
  return {
    report: (kind, key, step) => report(kind, key, { status: 'InProgress', step }),
    end: (kind, key, status, error) => report(kind, key, { status, ...(error === undefined ? {} : { error }) }),
    finish: (kind, key) =>
      asking(async (client) => {
        const { resource } = await client.call('getResource', { kind, key });
        const { generation } = JSON.parse(resource?.documentJson ?? '{}') as Resource;
        await client.call('finalizeDelete', { kind, key, generation });
      }),
    has: (kind, key) =>
      asking(async (client) => {
        const found = await client.call('getResource', { kind, key }).catch((thrown: unknown) => {
          if (thrown instanceof PlatformError && thrown.code === 'not_found') return undefined;
          throw thrown;
        });
        return found !== undefined;
      }),
  };
}

function collectingLog(logged: string[]): Logger {
  const keep = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      logged.push(chunk.toString());
      done();
    },
  });
  return pino({ level: 'trace' }, keep);
}

/** Starts an app and resolves when it serves. */
async function startChild(main: string, environment: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const child = fork(main, { env: environment, stdio: ['ignore', 'ignore', 'ignore', 'ipc'], execArgv: [] });
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('exit', (code) => reject(new Error(`${main} ended with ${code} before it was ready`)));
  });
  return child;
}

export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

async function send(url: string, method: string, path: string, asked: Asked): Promise<Answered> {
  const { body, raw, headers, token = 'none' } = asked;
  const full = path.startsWith('/') || path === '' ? path : `${workspace}/${path}`;
  const answer = await fetch(url + full, {
    method,
    headers: {
      ...(token === 'none' ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(raw === undefined ? (body === undefined ? {} : { body: JSON.stringify(body) }) : { body: raw }),
    signal: AbortSignal.timeout(20_000),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, json: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
