import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { DataFolder } from '@mooring/config';
import { PlatformError } from '@mooring/errors';
import { makeDataFolder } from './make-data-folder.ts';
import { platformMain } from './repository.ts';
import { isRunning, readSupervisorRecord, type SupervisorRecord } from './supervisor-record.ts';

/** Flags of `up` that the supervisor takes. */
export interface UpFlags {
  http: string | undefined;
  grpc: string | undefined;
  management: string | undefined;
  nats: string | undefined;
  topology: string | undefined;
  edge: number | undefined;
}

const pollMs = 50;
const logTailLines = 20;
/** How long `down` waits: the supervisor gives each of its processes 45 s to finish what it has begun. */
const stopMs = 150_000;

function supervisorArgs(folder: DataFolder, flags: UpFlags): string[] {
  // Picked by name: what a command passes has flags of its own beside these.
  const { http, grpc, management, nats, topology, edge } = flags;
  const given = Object.entries({ data: folder.root, http, grpc, management, nats, topology, edge }).filter(
    (entry): entry is [string, string | number] => entry[1] !== undefined,
  );
  return [platformMain, '--supervise', ...given.flatMap(([name, value]) => [`--${name}`, String(value)])];
}

/** Runs the platform as a child until it ends; resolves to its exit code. `signal` asks it to stop, then waits for it. */
export async function runPlatform(folder: DataFolder, flags: UpFlags, signal: AbortSignal): Promise<number> {
  await makeDataFolder(folder);
  const child = spawn(process.execPath, supervisorArgs(folder, flags), { stdio: 'inherit' });
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, killedBy) => resolve(code ?? (killedBy === null ? 1 : 128)));
  });
}

/**
 * Starts the platform in a session of its own, its output in `logs/supervisor.log`; resolves to its ready line. A
 * platform that fails to start rejects with the last lines that it wrote.
 */
export async function startDetached(
  folder: DataFolder,
  flags: UpFlags,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<string> {
  await makeDataFolder(folder);
  const logFile = join(folder.logs, 'supervisor.log');
  const log = await open(logFile, 'a', 0o600);
  try {
    const start = (await log.stat()).size;
    const child = spawn(process.execPath, supervisorArgs(folder, flags), {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    const ready = await readyLine(child, () => textFrom(logFile, start), timeoutMs, signal);
    child.unref();
    return ready;
  } finally {
    await log.close();
  }
}

async function readyLine(
  child: ChildProcess,
  output: () => Promise<string>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<string> {
  let failure: string | undefined;
  child.on('error', (error) => (failure = `cannot be started: ${error.message}`));
  child.on('exit', (code, killedBy) => (failure = `ended with ${killedBy ?? `status ${code}`}`));
  const endsAt = Date.now() + timeoutMs;
  while (failure === undefined && Date.now() < endsAt && !signal.aborted) {
    const line = /^ready http=.*$/m.exec(await output())?.[0];
    if (line !== undefined) return line;
    await delay(pollMs, undefined, { signal }).catch(() => undefined);
  }
  if (failure === undefined) child.kill('SIGTERM');
  if (signal.aborted) throw new PlatformError('cancelled', 'CANCELLED', 'The start was cancelled.');
  const tail = (await output()).trimEnd().split('\n').slice(-logTailLines).join('\n');
  const why = failure ?? `was not ready within ${timeoutMs / 1000} s`;
  throw new PlatformError('unavailable', 'PLATFORM_NOT_STARTED', `the platform ${why}; the last it wrote:\n${tail}`);
}

async function textFrom(file: string, start: number): Promise<string> {
  const text = await readFile(file);
  return text.subarray(start).toString('utf8');
}

/** The platform that runs on the data folder now. */
export function runningPlatform(folder: DataFolder): SupervisorRecord | undefined {
  const record = readSupervisorRecord(folder);
  return record !== undefined && isRunning(record) ? record : undefined;
}

/** The platform that was started on the data folder and whose supervisor ended without stopping it. */
export function diedPlatform(folder: DataFolder): SupervisorRecord | undefined {
  const record = readSupervisorRecord(folder);
  return record === undefined || isRunning(record) ? undefined : record;
}

/** Ends what a killed supervisor left running; resolves to lines that say what. */
export async function cleanUpAfter(folder: DataFolder): Promise<string> {
  try {
    const args = [platformMain, '--clean-up', '--data', folder.root];
    return (await promisify(execFile)(process.execPath, args, { timeout: stopMs })).stdout.trimEnd();
  } catch (thrown) {
    const why = String((thrown as { stderr?: unknown }).stderr ?? '').trim();
    const message = `what the killed supervisor left could not all be ended: ${why || String(thrown)}`;
    throw new PlatformError('unavailable', 'NOT_CLEANED_UP', message, { cause: thrown });
  }
}

/** Asks the platform to stop and waits until it is gone. */
export async function stopPlatform(record: SupervisorRecord, signal: AbortSignal): Promise<void> {
  process.kill(record.pid, 'SIGTERM');
  const endsAt = Date.now() + stopMs;
  while (isRunning(record)) {
    if (signal.aborted)
      throw new PlatformError('cancelled', 'CANCELLED', 'No longer waiting; the platform goes on stopping.');
    if (Date.now() > endsAt) {
      const message = `process ${record.pid} still runs after ${stopMs / 1000} s; its logs say why; \`kill -9 ${record.pid}\` ends it at once`;
      throw new PlatformError('deadline_exceeded', 'STOP_TIMEOUT', message);
    }
    await delay(pollMs, undefined, { signal }).catch(() => undefined);
  }
}
