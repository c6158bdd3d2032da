import { fork, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ReadyMessage } from '@mooring/runtime';

/** A service as its own app, as it runs in production. */
export interface ServiceProcess {
  pid: number;
  facts: Readonly<Record<string, string>>;
  /** SIGTERM, and its exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** As when its supervisor dies. */
  abandon(): Promise<number | null>;
}

const apps = fileURLToPath(new URL('../../../../../apps', import.meta.url));

/** Starts `apps/<name>`; its log goes to `logFile`. Resolves once it serves. */
export async function startService(
  name: string,
  environment: NodeJS.ProcessEnv,
  logFile: string,
): Promise<ServiceProcess> {
  const log = openSync(logFile, 'a');
  const child = fork(`${apps}/${name}/src/main.ts`, { env: environment, stdio: ['ignore', log, log, 'ipc'] });
  closeSync(log);
  const exited = exitOf(child);
  const facts = await Promise.race([readyOf(child), exited.then(() => undefined)]);
  if (facts === undefined) throw new Error(`${name} did not start: ${readFileSync(logFile, 'utf8').slice(-2_000)}`);
  return {
    pid: child.pid ?? 0,
    facts,
    stop: () => {
      child.kill('SIGTERM');
      return exited;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    abandon: () => {
      child.disconnect();
      return exited;
    },
  };
}

function readyOf(child: ChildProcess): Promise<ReadyMessage['facts']> {
  return new Promise((resolve) => {
    child.on('message', (message) => {
      const ready = message as Partial<ReadyMessage>;
      if (ready.type === 'ready') resolve(ready.facts ?? {});
    });
  });
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}
