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

/** How long a start that is under way may still take once a stop was asked for. */
const startGraceMs = 3_000;

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
    const starting = startModules(targets, { environment: process.env, log });
    // What is waited for (NATS, above all) may never come; the wish to stop must not wait for it too.
    const running = await Promise.race([starting, asked.then(() => resultWithin(starting, startGraceMs))]);
    if (running === undefined) {
      log.warn('stopped before everything had started');
      process.exit(1);
    }
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

/** The result, or undefined when there is none in time. */
function resultWithin<T>(work: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), timeoutMs));
  return Promise.race([work, late]);
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
