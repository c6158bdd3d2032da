import { PlatformError } from '@mooring/errors';
import { buildCancelled, runTool } from './run-tool.ts';

export interface Interpreter {
  /** Its real path, outside of any virtual environment. */
  path: string;
  /** `3.11.7`. */
  version: string;
}

export interface InterpreterChoice extends Interpreter {
  warning?: string;
}

interface FindOptions {
  environment: Readonly<Record<string, string>>;
  /** uv, when it is there already: it finds interpreters that are not in PATH. */
  uv: string | undefined;
  signal: AbortSignal;
}

const probeMs = 10_000;
const oldest = 9;
const probe = [
  'import json, os, sys',
  "base = getattr(sys, '_base_executable', None) or sys.executable",
  "print(json.dumps({'path': os.path.realpath(base), 'version': '.'.join(map(str, sys.version_info[:3]))}))",
].join('\n');

/** The interpreter of the wanted minor version when this machine has it, else its `python3` with a warning. Downloads none. */
export async function findInterpreter(wanted: string | undefined, options: FindOptions): Promise<InterpreterChoice> {
  const own = await look('python3', options);
  if (own !== undefined && (wanted === undefined || isMinor(own, wanted))) return checked(own);
  if (wanted !== undefined) {
    const other = (await look(`python${wanted}`, options)) ?? (await lookByUv(wanted, options));
    if (other !== undefined && isMinor(other, wanted)) return checked(other);
  }
  if (own === undefined) {
    throw new PlatformError(
      'failed_precondition',
      'PYTHON_NOT_FOUND',
      'this machine has no working python3 in PATH; install Python 3.9 or newer and try again',
    );
  }
  return {
    ...checked(own),
    warning: `the environment asks for Python ${wanted}, which this machine does not have: Python ${own.version} is used`,
  };
}

async function look(command: string, { environment, signal }: FindOptions): Promise<Interpreter | undefined> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(probeMs)]);
  try {
    // -I: neither the current folder nor the user's own packages have a say in it.
    const run = await runTool({ command, args: ['-I', '-c', probe], environment, cwd: '/', signal: limit });
    return run.exitCode === 0 ? (JSON.parse(run.stdout) as Interpreter) : undefined;
  } catch {
    if (signal.aborted) throw buildCancelled();
    return undefined;
  }
}

async function lookByUv(wanted: string, options: FindOptions): Promise<Interpreter | undefined> {
  if (options.uv === undefined) return undefined;
  const { environment, signal, uv } = options;
  const args = ['python', 'find', '--no-config', '--no-python-downloads', '--system', wanted];
  const found = await runTool({ command: uv, args, environment, cwd: '/', signal });
  return found.exitCode === 0 ? look(found.stdout.trim(), options) : undefined;
}

function isMinor(found: Interpreter, wanted: string): boolean {
  return found.version.startsWith(`${wanted}.`);
}

function checked(found: Interpreter): Interpreter {
  const [major = 0, minor = 0] = found.version.split('.').map(Number);
  if (major === 3 && minor >= oldest) return found;
  throw new PlatformError(
    'failed_precondition',
    'PYTHON_TOO_OLD',
    `Python ${found.version} is too old for scoring scripts; install Python 3.${oldest} or newer`,
  );
}
