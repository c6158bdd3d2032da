import { boundary, PlatformError } from '@mooring/errors';
import type { Io } from './context.ts';

/** Writes an error for people: `REASON: message`, each problem on its line, and what to do next. Returns the exit code. */
export function reportError(
  thrown: unknown,
  io: Io,
  options: { debug: boolean; nextStep?: string | undefined; command: string },
): number {
  const error = platformErrorOf(thrown);
  const lines = [`${error.reason}: ${error.message}`];
  for (const { path, problem, expected } of error.problems) {
    // A server that listed its problems in the message has said them already.
    if (error.message.includes(problem)) continue;
    lines.push(`  ${path}: ${problem}${expected === undefined ? '' : ` (expected ${expected})`}`);
  }
  const next = options.nextStep ?? nextStepOf(error, options.command);
  if (next !== undefined) lines.push(`Next: ${next}`);
  if (options.debug) lines.push(debugText(thrown));
  io.err(`${lines.map(printable).join('\n')}\n`);
  return boundary(error.code).exit;
}

function platformErrorOf(thrown: unknown): PlatformError {
  if (thrown instanceof PlatformError) return thrown;
  if ((thrown as Error).name === 'ConfigError') {
    return new PlatformError('invalid_argument', 'BAD_SETTINGS', (thrown as Error).message, { cause: thrown });
  }
  if ((thrown as Error).name === 'AbortError')
    return new PlatformError('cancelled', 'CANCELLED', 'Cancelled.', { cause: thrown });
  const error = thrown as NodeJS.ErrnoException;
  // Errors of the file system say what is wrong themselves: path and reason.
  if (typeof error.syscall === 'string' && typeof error.path === 'string') {
    return new PlatformError('invalid_argument', 'FILE_ERROR', error.message, { cause: thrown });
  }
  return new PlatformError('internal', 'UNEXPECTED', 'an unexpected error; --debug shows where it came from', {
    cause: thrown,
  });
}

function nextStepOf(error: PlatformError, command: string): string | undefined {
  if (error.reason === 'PLATFORM_NOT_RUNNING' || error.reason === 'PLATFORM_UNREACHABLE') {
    return 'start it with `tools/mooring up`, or name another with MOORING_DATA or MOORING_URL';
  }
  if (error.reason === 'BAD_ARGUMENTS') return `tools/mooring ${command} --help`;
  if (error.code === 'unauthenticated')
    return 'set MOORING_DATA to the data folder of the platform, or MOORING_TOKEN to a credential';
  if (boundary(error.code).retry === 'yes') {
    return error.retryAfterMs === undefined ? 'try again' : `try again in ${Math.ceil(error.retryAfterMs / 1000)} s`;
  }
  return undefined;
}

function debugText(thrown: unknown): string {
  const lines: string[] = [];
  for (let at = thrown, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    lines.push(`${depth === 0 ? '' : 'caused by '}${at.stack ?? at.message}`);
  }
  return lines.join('\n');
}

/** Messages may hold what a file or a server wrote: nothing of that may move the cursor or colour the screen. */
function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, '?');
}
