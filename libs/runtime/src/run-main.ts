import { pino } from 'pino';
import type { ModuleSet, StopReason } from './module.ts';
import { startModules } from './run-modules.ts';

export interface MainOptions {
  /** Names of the modules to run, or `all`, comma separated. */
  target: string;
  /** How long each module may take to stop. */
  stopTimeoutMs?: number;
  /** Called once everything serves. */
  onReady?: () => void;
}

/** What a process tells its supervisor over IPC once everything in it serves. */
export interface ReadyMessage {
  type: 'ready';
  facts: Readonly<Record<string, string>>;
}

/**
 * The body of every app: starts the targets, waits for SIGTERM or SIGINT (or for the supervisor that started this process
 * to be gone), stops in reverse order, exits. Logs go to stderr as JSON lines.
 */
export async function runMain(modules: ModuleSet, options: MainOptions): Promise<void> {
  const log = pino({ level: process.env['MOORING_LOG_LEVEL'] ?? 'info' }, pino.destination(2));
  const names = options.target === 'all' ? Object.keys(modules) : options.target.split(',');
  const unknown = names.filter((name) => !(name in modules));
  if (unknown.length > 0) {
    process.stderr.write(`unknown target: ${unknown.join(', ')}; there are: all, ${Object.keys(modules).join(', ')}\n`);
    process.exitCode = 2;
    return;
  }
  const asked = stopAsked();
  process.on('unhandledRejection', (reason) => log.error({ err: reason }, 'unhandled rejection'));
  try {
    const targets = names.map((name) => modules[name]).filter((module) => module !== undefined);
    const running = await startModules(targets, { environment: process.env, log });
    options.onReady?.();
    tellSupervisor({ type: 'ready', facts: running.facts() });
    const { signal, why } = await asked;
    log.info({ signal, why }, 'stopping');
    const failures = await running.stop(options.stopTimeoutMs ?? 20_000, why);
    for (const { module, error } of failures) log.error({ err: error, failed: module }, 'stop failed');
    process.exit(failures.length > 0 ? 1 : 0);
  } catch (error) {
    log.fatal({ err: error }, 'start failed');
    process.exit(1);
  }
}

/** A supervisor that died just now is noticed by `disconnect`; the message to it is then of no use. */
function tellSupervisor(message: ReadyMessage): void {
  if (process.connected) process.send?.(message, () => {});
}

function stopAsked(): Promise<{ signal: string; why: StopReason }> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve({ signal: 'SIGTERM', why: 'asked' }));
    process.once('SIGINT', () => resolve({ signal: 'SIGINT', why: 'asked' }));
    process.once('disconnect', () => resolve({ signal: 'disconnect', why: 'abandoned' }));
  });
}
