import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { capLog, identify, type ProcessIdentity, type ReadyMessage } from '@mooring/runtime';

const backOffMinMs = 200;
const backOffMaxMs = 10_000;
/** A process that lived this long had come up well; its next restart is immediate again. */
const steadyMs = 30_000;
const logBytesMax = 32 * 2 ** 20;
const logCheckMs = 10_000;

export interface ChildOptions {
  name: string;
  program: string;
  args: readonly string[];
  /**
   * Asked for at each start, because addresses with port 0 are fixed after the first. `lastExit`: how the process before
   * ended, its signal or its exit code; absent at the first start.
   */
  environment: (lastExit: string | undefined) => NodeJS.ProcessEnv;
  logsDir: string;
  log: Logger;
  /** Called whenever it serves, also after a restart. */
  onReady: (facts: Readonly<Record<string, string>>) => void;
}

/** A process that is started again, with growing pauses, until it is told to stop. */
export interface SupervisedChild {
  readonly name: string;
  identity(): ProcessIdentity | undefined;
  /** SIGTERM, then after `graceMs` SIGKILL. Resolves when it is gone. */
  stop(graceMs: number): Promise<void>;
}

export function superviseChild(options: ChildOptions): SupervisedChild {
  const { name, log } = options;
  let process: ChildProcess | undefined;
  let stopping = false;
  let failures = 0;
  let lastExit: string | undefined;
  let gone = Promise.withResolvers<void>();
  let restart: NodeJS.Timeout | undefined;
  const logFile = join(options.logsDir, `${name}.log`);
  const logCheck = setInterval(() => capLog(logFile, logBytesMax), logCheckMs).unref();

  const start = (): void => {
    const startedAt = Date.now();
    const output = openSync(logFile, 'a', 0o600);
    gone = Promise.withResolvers<void>();
    // Its own session: a Ctrl-C in the terminal reaches the supervisor alone, which stops everything in order.
    const child = spawn(options.program, options.args, {
      stdio: ['ignore', output, output, 'ipc'],
      env: options.environment(lastExit),
      detached: true,
    });
    closeSync(output);
    process = child;
    child.on('message', (message) => {
      const ready = message as Partial<ReadyMessage>;
      if (ready.type === 'ready') options.onReady(ready.facts ?? {});
    });
    child.on('error', (error) => log.error({ err: error, child: name }, 'cannot be started'));
    child.on('close', (code, signal) => {
      gone.resolve();
      if (stopping) return;
      lastExit = signal ?? String(code);
      failures = Date.now() - startedAt > steadyMs ? 1 : failures + 1;
      const delayMs = Math.min(backOffMinMs * 2 ** (failures - 1), backOffMaxMs);
      log.error({ child: name, code, signal, failures, delayMs, logFile }, 'a process ended; starting it again');
      restart = setTimeout(start, delayMs);
    });
  };
  start();

  return {
    name,
    identity: () => (process?.pid === undefined ? undefined : identify(process.pid)),
    stop: async (graceMs) => {
      stopping = true;
      clearTimeout(restart);
      clearInterval(logCheck);
      if (process === undefined || process.exitCode !== null || process.signalCode !== null) return;
      process.kill('SIGTERM');
      const kill = setTimeout(() => process?.kill('SIGKILL'), graceMs);
      await gone.promise;
      clearTimeout(kill);
    },
  };
}
