import { createConnection } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { DataFolder } from '@mooring/config';
import { PlatformError, type ErrorCode } from '@mooring/errors';

/** One line of a supervisor's answer; the last one has a result or an error. */
interface Line {
  step?: string;
  result?: unknown;
  error?: { code: ErrorCode; reason: string; message: string };
}

/**
 * Asks the supervisor of the data folder over its socket in the run folder; resolves to its result. What it has begun goes
 * on when `signal` aborts.
 */
export async function askSupervisor<T>(
  folder: DataFolder,
  command: object,
  options: { timeoutMs: number; signal: AbortSignal; onStep: (step: string) => void },
): Promise<T> {
  const socket = createConnection(join(folder.run, 'supervisor.sock'));
  const late = AbortSignal.timeout(options.timeoutMs);
  const stop = AbortSignal.any([options.signal, late]);
  const close = (): void => void socket.destroy();
  stop.addEventListener('abort', close, { once: true });
  let failure: unknown;
  socket.on('error', (error) => (failure = error));
  socket.write(`${JSON.stringify(command)}\n`);
  try {
    for await (const text of createInterface(socket)) {
      const { step, result, error } = JSON.parse(text) as Line;
      if (step !== undefined) options.onStep(step);
      if (error !== undefined) throw new PlatformError(error.code, error.reason, error.message);
      if (result !== undefined) return result as T;
    }
  } catch (error) {
    if (error instanceof PlatformError) throw error;
    failure ??= error;
  } finally {
    stop.removeEventListener('abort', close);
    socket.destroy();
  }
  if (options.signal.aborted) {
    throw new PlatformError('cancelled', 'CANCELLED', 'No longer waiting; what the platform has begun goes on.');
  }
  if (late.aborted) {
    const message = `the platform has not finished within ${options.timeoutMs / 1000} s; it goes on`;
    throw new PlatformError('deadline_exceeded', 'PLATFORM_TIMEOUT', message);
  }
  throw unreachable(failure);
}

/** The socket is there from the end of a start to the beginning of a stop. */
function unreachable(failure: unknown): PlatformError {
  const { code } = (failure ?? {}) as NodeJS.ErrnoException;
  const nobody = code === 'ENOENT' || code === 'ECONNREFUSED';
  const message = nobody
    ? 'the platform takes no commands now: it is still starting, or is being stopped. Try again shortly'
    : 'the platform broke off; its logs say why (logs/supervisor.log in the data folder)';
  return new PlatformError('unavailable', 'PLATFORM_UNREACHABLE', message, { cause: failure });
}
