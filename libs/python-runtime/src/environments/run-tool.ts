import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { PlatformError } from '@mooring/errors';
import { lineSplitter } from '../log-text.ts';
import { withoutCredentials } from './requirements.ts';

const lineBytesMax = 2_000;
const linesKept = 60;
const stdoutBytesMax = 16 * 1024 * 1024;

export interface ToolRun {
  command: string;
  args: readonly string[];
  environment: Readonly<Record<string, string>>;
  cwd: string;
  input?: string;
  /** Gets what the tool says on stderr, without credentials. */
  onLine?: (line: string) => void;
  /** Ends the tool and all that it started. */
  signal: AbortSignal;
}

export interface ToolResult {
  /** Undefined when it was ended or could not be started. */
  exitCode: number | undefined;
  stdout: string;
  /** The last lines of stderr. */
  lines: string[];
}

/** Runs a program to its end. Rejects only when `signal` aborts; a program that is not there has said so in `lines`. */
export async function runTool(run: ToolRun): Promise<ToolResult> {
  if (run.signal.aborted) throw buildCancelled();
  // A group of its own: package builds start compilers, which must end with it.
  const child = spawn(run.command, run.args, {
    cwd: run.cwd,
    env: run.environment,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const ended = Promise.withResolvers<number | undefined>();
  const lines: string[] = [];
  const note = (line: string): void => {
    const told = withoutCredentials(line);
    lines.push(told);
    if (lines.length > linesKept) lines.shift();
    run.onLine?.(told);
  };
  child.once('close', (code) => ended.resolve(code ?? undefined));
  child.once('error', (error) => {
    note(`${run.command} could not be started: ${error.message}`);
    ended.resolve(undefined);
  });
  child.stdin.on('error', () => undefined); // it may end before it has read all
  child.stdin.end(run.input ?? '');
  const kill = (): void => killGroup(child.pid);
  run.signal.addEventListener('abort', kill, { once: true });
  const [exitCode, stdout] = await Promise.all([ended.promise, readText(child.stdout), readLines(child.stderr, note)]);
  run.signal.removeEventListener('abort', kill);
  if (run.signal.aborted) throw buildCancelled();
  return { exitCode, stdout, lines };
}

export function buildCancelled(): PlatformError {
  return new PlatformError('cancelled', 'ENVIRONMENT_BUILD_CANCELLED', 'building the environment was cancelled');
}

/** What tools may see of this process's environment: how to reach the index, and nothing of the platform's own. */
export function toolEnvironment(from: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const allowed =
    /^(?:PATH|HOME|USER|TMPDIR|LANG|LC_\w+|SSL_CERT_(?:FILE|DIR)|(?:https?|all|no)_proxy|NETRC|PIP_\w+|UV_\w+|XDG_\w+|PYENV_\w+)$/i;
  const entries = Object.entries(from).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(entries.filter(([name]) => allowed.test(name)));
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in the group.
  }
}

async function readText(stream: Readable): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const bytes of stream) {
    size += (bytes as Buffer).length;
    if (size <= stdoutBytesMax) parts.push(bytes as Buffer);
  }
  return Buffer.concat(parts).toString('utf8');
}

async function readLines(stream: Readable, onLine: (line: string) => void): Promise<void> {
  const splitter = lineSplitter(lineBytesMax, onLine);
  for await (const bytes of stream) splitter.push(bytes as Buffer);
  splitter.flush();
}
