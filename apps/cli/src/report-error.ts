import { boundary, PlatformError, type FieldProblem } from '@mooring/errors';
import type { Io } from './context.ts';
import { printable } from './printable.ts';

/** Writes an error for people: `REASON: message`, each problem on its line, and what to do next. Returns the exit code. */
export function reportError(
  thrown: unknown,
  io: Io,
  options: { debug: boolean; nextStep?: string | undefined; command: string },
): number {
  const error = platformErrorOf(thrown);
  const lines = [`${error.reason}: ${headOf(error)}`, ...error.problems.map(problemLine)];
  lines.push(`Next: ${options.nextStep ?? nextStepOf(error, options.command)}`);
  if (options.debug) lines.push(debugText(thrown));
  io.err(`${lines.map(printable).join('\n')}\n`);
  return boundary(error.code).exit;
}

/** The message without the problems that it lists: each gets a line of its own. */
function headOf({ message, problems }: PlatformError): string {
  const [first] = problems;
  const at = first === undefined ? -1 : message.indexOf(`${first.path}: ${first.problem}`);
  // A message that is the problem itself has nothing before it that would stand alone.
  if (at <= 0 || !/[:;]\s*$/.test(message.slice(0, at))) return message;
  const what = message.slice(0, at).replace(/[:;,\s]+$/, '');
  return `${what} has ${problems.length === 1 ? '1 problem' : `${problems.length} problems`}`;
}

function problemLine({ path, problem, expected }: FieldProblem): string {
  return `  ${path}: ${problem}${expected === undefined ? '' : ` (expected ${expected})`}`;
}

function platformErrorOf(thrown: unknown): PlatformError {
  if (thrown instanceof PlatformError) return thrown;
  const error = (thrown ?? {}) as NodeJS.ErrnoException;
  if (error.name === 'ConfigError') {
    return new PlatformError('invalid_argument', 'BAD_SETTINGS', error.message, { cause: thrown });
  }
  if (error.name === 'AbortError') return new PlatformError('cancelled', 'CANCELLED', 'Cancelled.', { cause: thrown });
  // Errors of the file system say what is wrong themselves: path and reason.
  if (typeof error.syscall === 'string' && typeof error.path === 'string') {
    return new PlatformError('invalid_argument', 'FILE_ERROR', error.message, { cause: thrown });
  }
  return new PlatformError('internal', 'UNEXPECTED', 'an unexpected error; --debug shows where it came from', {
    cause: thrown,
  });
}

/** Reasons that say more than their code does. */
const stepByReason: Readonly<Record<string, string>> = {
  PLATFORM_NOT_RUNNING: 'start it with `tools/mooring up`, or name another with MOORING_DATA or MOORING_URL',
  PLATFORM_UNREACHABLE: 'start it with `tools/mooring up`, or name another with MOORING_DATA or MOORING_URL',
  FILE_NOT_FOUND: 'name a file that is there; paths begin at the current folder',
  NOT_SUPPORTED_YET: 'leave that out; `tools/mooring --help` lists what there is',
  NOT_CONFIRMED: 'give --yes',
  DECLINED: 'run the same command again if you want it after all',
  BAD_DATA_FOLDER: 'name a folder that you may write, such as --data ./data',
  PLATFORM_NOT_STARTED: 'mend what it says and run the same command again',
  PLATFORM_ENDED: 'mend what it wrote above and run the same command again',
  DOWNLOAD_DIFFERS: 'see what is wrong with it: `tools/mooring job verify -n <job>`',
  JOB_NOT_RESUMABLE: 'see how far it is: `tools/mooring job show -n <job>`; one that Completed has nothing left to do',
  JOB_IS_STEP: 'tools/mooring job resume -n <job>',
  NO_MANIFEST: 'see how far it came, and why: `tools/mooring job show -n <job>`',
  NO_OUTPUT: 'see how far it came, and why: `tools/mooring job show -n <job>`',
  JOB_EXISTS: 'give another --job-name, or none; `tools/mooring job show` shows the one that is there',
  PORT_TAKEN: 'end what uses it, or give other addresses',
};

/** What the user may do now. There always is something. */
function nextStepOf(error: PlatformError, command: string): string {
  const help = `tools/mooring ${command === '' ? '' : `${command} `}--help`;
  const known = stepByReason[error.reason];
  if (known !== undefined) return known;
  if (error.reason === 'BAD_ARGUMENTS' || error.reason === 'BAD_QUERY') return help;
  if (error.code === 'unauthenticated')
    return 'set MOORING_DATA to the data folder of that platform, or MOORING_TOKEN to a credential';
  if (boundary(error.code).retry === 'yes') {
    return error.retryAfterMs === undefined ? 'try again' : `try again in ${Math.ceil(error.retryAfterMs / 1000)} s`;
  }
  if (error.code === 'cancelled') return 'see with show how far it came, or run the same command again';
  if (error.code === 'deadline_exceeded' || error.code === 'scoring_timeout')
    return 'look at what it came to (show, get-logs) before you run it again';
  if (error.code === 'not_found') return `see what there is: tools/mooring ${listOf(error.reason, command)}`;
  if (error.code === 'internal') return 'run it again with --debug, which shows where the error came from';
  return `mend that and run the same command again; ${help}`;
}

const withList = new Set(['model', 'environment', 'data', 'component', 'job']);

function listOf(reason: string, command: string): string {
  const [noun = ''] = command.split(' ');
  const kind = noun.startsWith('batch-') ? 'batch' : 'online';
  if (reason === 'ENDPOINT_NOT_FOUND') return `${kind}-endpoint list`;
  if (reason === 'DEPLOYMENT_NOT_FOUND') return `${kind}-deployment list -e <endpoint>`;
  // What is missing may be something that the command only names.
  const missing = /^(\w+)_NOT_FOUND$/.exec(reason)?.[1]?.toLowerCase() ?? '';
  const listed = [missing, noun].find((name) => withList.has(name));
  return listed === undefined ? `${noun} --help` : `${listed} list`;
}

function debugText(thrown: unknown): string {
  const lines: string[] = [];
  for (let at = thrown, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    lines.push(`${depth === 0 ? '' : 'caused by '}${at.stack ?? at.message}`);
  }
  return lines.join('\n');
}
