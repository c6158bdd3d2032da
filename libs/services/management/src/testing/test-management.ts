import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { pino, type Logger } from 'pino';
import { AuthServiceClient } from '@mooring/contracts/auth';
import { dataFolder } from '@mooring/config';
import { createClient } from '@mooring/rpc';
import { startModules, type RunningModules } from '@mooring/runtime';
import { managementModule } from '../index.ts';
import { startMemoryRegistry, type MemoryRegistry } from './memory-registry.ts';

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

/** Management itself in this process, over a real NATS, a real auth process and a registry in memory. */
export interface TestManagement {
  url: string;
  token: string;
  registry: MemoryRegistry;
  /** Folder of the artifact store. */
  artifacts: string;
  /** Lines that were logged. */
  logged: string[];
  /** A path that does not begin with a slash is below the workspace. */
  send(method: string, path: string, asked?: Asked): Promise<Answered>;
  /** What the controller does first for a new endpoint. */
  ensureKeys(endpoint: string): Promise<void>;
  stopRegistry(): Promise<void>;
  startRegistry(): Promise<void>;
  stopAuth(): Promise<void>;
  stop(): Promise<void>;
}

const authMain = fileURLToPath(new URL('../../../../../apps/auth/src/main.ts', import.meta.url));

export interface TestSettings {
  /** How to reach NATS, as `startTestNats` gives it. */
  nats: { environment: Readonly<Record<string, string>> };
  /** An empty folder; the caller removes it. */
  data: string;
  /** More variables. */
  environment?: Readonly<Record<string, string>>;
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
  const auth = await startChild(authMain, environment);
  const logged: string[] = [];
  const log = collectingLog(logged);
  const registryAddress = `unix:${join(folder.run, 'registry.sock')}`;
  let registry = await startMemoryRegistry(registryAddress, log);
  const socket = join(folder.run, 'auth.sock');
  const token = readFileSync(folder.adminTokenFile, 'utf8').trim();
  const running: RunningModules = await startModules([managementModule], { environment, log });
  const url = running.facts()['management'] ?? '';
  const management: TestManagement = {
    url,
    token,
    registry,
    artifacts: folder.artifacts,
    logged,
    send: (method, path, asked = {}) => send(url, method, path, { token, ...asked }),
    ensureKeys: async (endpoint) => {
      const client = createClient(AuthServiceClient, `unix:${socket}`);
      await client.call('ensureEndpointKeys', { endpoint });
      client.close();
    },
    stopRegistry: () => registry.server.stop(AbortSignal.timeout(1_000)),
    startRegistry: async () => {
      registry = await startMemoryRegistry(registryAddress, log);
      management.registry = registry;
    },
    stopAuth: () => endChild(auth),
    stop: async () => {
      await running.stop(5_000);
      await registry.server.stop(AbortSignal.timeout(1_000));
      await endChild(auth);
    },
  };
  return management;
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
export async function startChild(main: string, environment: NodeJS.ProcessEnv): Promise<ChildProcess> {
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
