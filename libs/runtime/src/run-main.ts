import type { Logger } from 'pino';
import { ConfigError, readLogLevel, type Environment } from '@mooring/config';
import { relayOverIpc } from './connection-relay.ts';
import { countExternalMemoryWithHeap, letHeapGrow } from './heap-limits.ts';
import type { ModuleSet, StopReason } from './module.ts';
import { startModules, type RunningModules, type StopFailure } from './run-modules.ts';
import { stderrLog } from './stderr-log.ts';
import type { FromChild, ToChild } from './supervisor-messages.ts';

export interface MainOptions {
  /** Names of the modules to run, or `all`, comma separated. */
  target: string;
  /** How long each module may take to stop. */
  stopTimeoutMs?: number;
  /** Called once everything serves. */
  onReady?: () => void;
}

/** Exit status of a process whose settings or target are wrong. */
const badSettings = 2;
/** How long a start that is under way may still take once a stop was asked for. */
const startGraceMs = 3_000;
/** A process whose place is taken may finish what a caller is allowed to wait for: the longest timeout of a deployment. */
const retireTimeoutMs = 185_000;

/**
 * The body of every app: starts the targets, waits for SIGTERM or SIGINT (or for the supervisor that started this process
 * to be gone, or to say that another one has taken its place), stops in reverse order, exits. With MOORING_START=when-told
 * it waits for its supervisor's word before it starts them. Logs go to stderr as JSON lines.
 */
export async function runMain(modules: ModuleSet, options: MainOptions): Promise<void> {
  countExternalMemoryWithHeap();
  letHeapGrow();
  const log = logOf(process.env);
  if (log === undefined) return;
  const names = options.target === 'all' ? Object.keys(modules) : options.target.split(',');
  const unknown = names.filter((name) => !(name in modules));
  if (unknown.length > 0) {
    process.stderr.write(`unknown target: ${unknown.join(', ')}; there are: all, ${Object.keys(modules).join(', ')}\n`);
    process.exitCode = badSettings;
    return;
  }
  const asked = stopAsked();
  const report = (failures: readonly StopFailure[]): void => {
    for (const { module, error } of failures) log.error({ err: error, failed: module }, 'stop failed');
  };
  process.on('unhandledRejection', (reason) => log.error({ err: reason }, 'unhandled rejection'));
  try {
    const targets = names.map((name) => modules[name]).filter((module) => module !== undefined);
    if ((await Promise.race([mayStart(), asked])) !== undefined) process.exit(1);
    const relay = process.send === undefined ? {} : { relay: relayOverIpc() };
    const starting = startModules(targets, { environment: process.env, log, ...relay });
    // What is waited for (NATS, above all) may never come; the wish to stop must not wait for it too.
    const running = await Promise.race([starting, asked.then(() => resultWithin(starting, startGraceMs))]);
    if (running === undefined) {
      log.warn('stopped before everything had started');
      process.exit(1);
    }
    options.onReady?.();
    tellSupervisor({ type: 'ready', facts: running.facts() });
    const stopTimeoutMs = options.stopTimeoutMs ?? 20_000;
    yieldWhenTold(running, stopTimeoutMs, report);
    const { signal, why } = await asked;
    log.info({ signal, why }, 'stopping');
    const failures = await running.stop(why === 'replaced' ? retireTimeoutMs : stopTimeoutMs, why);
    report(failures);
    process.exit(failures.length > 0 ? 1 : 0);
  } catch (error) {
    log.fatal({ err: error }, 'start failed');
    process.exit(error instanceof Error && error.cause instanceof ConfigError ? badSettings : 1);
  }
}

/** Undefined, and the exit status set, where the environment names a level that there is not. */
function logOf(environment: Environment): Logger | undefined {
  try {
    return stderrLog({ level: readLogLevel(environment) });
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = badSettings;
    return undefined;
  }
}

/** The result, or undefined when there is none in time. */
function resultWithin<T>(work: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), timeoutMs));
  return Promise.race([work, late]);
}

/** A supervisor that died just now is noticed by `disconnect`; the message to it is then of no use. */
function tellSupervisor(message: FromChild): void {
  if (process.connected) process.send?.(message, () => {});
}

function told(type: ToChild['type'], then: () => void): void {
  process.on('message', (message: Partial<ToChild>) => {
    if (message.type === type) then();
  });
}

/** A process that is to replace another one loads its code first, so that little time passes once the other yields. */
function mayStart(): Promise<void> {
  const waits = process.env['MOORING_START'] === 'when-told';
  // What this process starts must not wait for a word that never comes.
  delete process.env['MOORING_START'];
  if (!waits) return Promise.resolve();
  return new Promise((resolve) => {
    told('start', resolve);
    tellSupervisor({ type: 'loaded' });
  });
}

function yieldWhenTold(
  running: RunningModules,
  stopTimeoutMs: number,
  report: (failures: readonly StopFailure[]) => void,
): void {
  told('yield', () => {
    const giveUp = async (): Promise<void> => {
      report(await running.stopAlone(stopTimeoutMs));
      tellSupervisor({ type: 'yielded' });
    };
    void giveUp();
  });
}

function stopAsked(): Promise<{ signal: string; why: StopReason }> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve({ signal: 'SIGTERM', why: 'asked' }));
    process.once('SIGINT', () => resolve({ signal: 'SIGINT', why: 'asked' }));
    process.once('disconnect', () => resolve({ signal: 'disconnect', why: 'abandoned' }));
    told('retire', () => resolve({ signal: 'retire', why: 'replaced' }));
  });
}
