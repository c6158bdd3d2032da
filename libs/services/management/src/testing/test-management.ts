import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { pino, type Logger } from 'pino';
import { dataFolder } from '@mooring/config';
import { startModules, type RunningModules } from '@mooring/runtime';
import { eventually, startTestNats, tempDir, type TestNats } from '@mooring/testing';
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
  nats: TestNats;
  registry: MemoryRegistry;
  /** Folder of the artifact store. */
  artifacts: string;
  /** Lines that were logged. */
  logged: string[];
  /** A path that does not begin with a slash is below the workspace. */
  send(method: string, path: string, asked?: Asked): Promise<Answered>;
  stopRegistry(): Promise<void>;
  startRegistry(): Promise<void>;
  stop(): Promise<void>;
}

const authMain = fileURLToPath(new URL('../../../../../apps/auth/src/main.ts', import.meta.url));

export async function startTestManagement(settings: Readonly<Record<string, string>> = {}): Promise<TestManagement> {
  const nats = await startTestNats();
  const data = tempDir();
  const folder = dataFolder(data.path);
  const environment = {
    ...nats.environment,
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    MOORING_DATA: data.path,
    MOORING_NATS_DEADLINE_MS: '1500',
    MOORING_MANAGEMENT_HTTP: '127.0.0.1:0',
    ...settings,
  };
  const auth = spawn(process.execPath, [authMain], { env: environment, stdio: ['ignore', 'ignore', 'pipe'] });
  const logged: string[] = [];
  const log = collectingLog(logged);
  const registryAddress = `unix:${join(folder.run, 'registry.sock')}`;
  let registry = await startMemoryRegistry(registryAddress, log);
  const socket = join(folder.run, 'auth.sock');
  await eventually(() => existsSync(socket) && existsSync(folder.adminTokenFile), { timeoutMs: 20_000 });
  const token = readFileSync(folder.adminTokenFile, 'utf8').trim();
  const running: RunningModules = await startModules([managementModule], { environment, log });
  const url = running.facts()['management'] ?? '';
  const management: TestManagement = {
    url,
    token,
    nats,
    registry,
    artifacts: folder.artifacts,
    logged,
    send: (method, path, asked = {}) => send(url, method, path, { token, ...asked }),
    stopRegistry: () => registry.server.stop(AbortSignal.timeout(1_000)),
    startRegistry: async () => {
      registry = await startMemoryRegistry(registryAddress, log);
      management.registry = registry;
    },
    stop: async () => {
      await running.stop(5_000);
      await registry.server.stop(AbortSignal.timeout(1_000));
      await endChild(auth);
      await nats.stop();
      data.remove();
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

async function endChild(child: ChildProcess): Promise<void> {
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
