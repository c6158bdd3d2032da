import { pino } from 'pino';
import type { ModuleSet } from './module.ts';
import { startModules } from './run-modules.ts';

export interface MainOptions {
  /** Names of the modules to run, or `all`, comma separated. */
  target: string;
  /** How long each module may take to stop. */
  stopTimeoutMs?: number;
  /** Called once everything serves. */
  onReady?: () => void;
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
    process.send?.({ type: 'ready' });
    const why = await asked;
    log.info({ why }, 'stopping');
    const failures = await running.stop(options.stopTimeoutMs ?? 20_000);
    for (const { module, error } of failures) log.error({ err: error, failed: module }, 'stop failed');
    process.exit(failures.length > 0 ? 1 : 0);
  } catch (error) {
    log.fatal({ err: error }, 'start failed');
    process.exit(1);
  }
}

function stopAsked(): Promise<string> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve('SIGTERM'));
    process.once('SIGINT', () => resolve('SIGINT'));
    process.once('disconnect', () => resolve('the supervisor is gone'));
  });
}
