import { spawn, type ChildProcess } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Per-key TTL and clean recovery need this; older servers ignore the TTL silently. */
export const oldestVersion = '2.11';
const startTimeoutMs = 20_000;
const stopTimeoutMs = 10_000;

export interface NatsServerOptions {
  /** Folder for JetStream's files, the configuration (0600) and the log. */
  dataDir: string;
  /** Loopback port; 0 picks a free one. */
  port: number;
  user: string;
  password: string;
}

export interface NatsServer {
  url: string;
  pid: number;
  /** Resolves with how it ended. */
  exited: Promise<string>;
  /** SIGTERM: JetStream closes its files; killed when that takes too long. */
  stop(): Promise<void>;
}

/** Where the nats-server binary is: the PATH, else what tools/mooring installed. */
export function findNatsServer(searchPath: string = process.env['PATH'] ?? ''): string {
  const installed = fileURLToPath(new URL('../../../.tools/', import.meta.url));
  for (const folder of [installed, ...searchPath.split(delimiter)]) {
    const candidate = join(folder, 'nats-server');
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not here; look further.
    }
  }
  throw new Error(`nats-server (>= ${oldestVersion}) is not installed: run tools/mooring once, or put it in PATH`);
}

/**
 * Starts nats-server as a child: loopback only, one user with a password, file store synced on every write, because
 * JetStream otherwise syncs every two minutes and a power cut would lose acknowledged writes.
 */
export async function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const portsDir = join(options.dataDir, 'ports');
  rmSync(portsDir, { recursive: true, force: true });
  mkdirSync(portsDir, { mode: 0o700 });
  const configFile = join(options.dataDir, 'nats.conf');
  writeFileSync(configFile, configuration(options, portsDir), { mode: 0o600 });
  const logFile = join(options.dataDir, 'nats.log');
  const log = openSync(logFile, 'a', 0o600);
  // Its own session, so that a Ctrl-C in the terminal reaches the supervisor alone, which stops NATS last.
  const child = spawn(findNatsServer(), ['-c', configFile], { stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit ${code}`));
  });
  const port = await Promise.race([
    readPort(portsDir, startTimeoutMs),
    exited.then((how) => {
      throw new Error(`nats-server ended while starting (${how}); see ${logFile}`);
    }),
  ]);
  return { url: `nats://127.0.0.1:${port}`, pid: child.pid ?? 0, exited, stop: () => stopChild(child, exited) };
}

function configuration(options: NatsServerOptions, portsDir: string): string {
  const quoted = (text: string): string => JSON.stringify(text);
  return [
    'host: 127.0.0.1',
    `port: ${options.port === 0 ? -1 : options.port}`,
    `ports_file_dir: ${quoted(portsDir)}`,
    'max_payload: 8MB',
    `jetstream { store_dir: ${quoted(join(options.dataDir, 'jetstream'))}, sync_interval: always }`,
    `authorization { user: ${quoted(options.user)}, password: ${quoted(options.password)} }`,
    '',
  ].join('\n');
}

/** nats-server writes `nats-server_<pid>.ports` once it listens. */
async function readPort(portsDir: string, timeoutMs: number): Promise<number> {
  const until = Date.now() + timeoutMs;
  while (Date.now() < until) {
    const file = readdirSync(portsDir).find((name) => name.endsWith('.ports'));
    if (file !== undefined) {
      const port = /nats:\/\/[^:]+:(\d+)/.exec(readFileSync(join(portsDir, file), 'utf8'))?.[1];
      if (port !== undefined) return Number(port);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`nats-server did not listen within ${timeoutMs} ms`);
}

async function stopChild(child: ChildProcess, exited: Promise<string>): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
  await exited;
  clearTimeout(timer);
}
