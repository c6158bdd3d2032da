import { spawn } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import type { Environment } from '@mooring/config';
import { PlatformError } from '@mooring/errors';
import type { CheckScript } from '../ports.ts';

const scriptBytesMax = 4 * 2 ** 20;
const outputMax = 10_000;
const atOnceMax = 4;
const waitingMax = 64;

// `compile` parses and checks, but runs nothing. Bytes, so that Python itself honours the script's encoding line.
const checker = `
import sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
except Exception:
    pass
try:
    compile(sys.stdin.buffer.read(), "script", "exec", dont_inherit=True)
    print("sound")
except SyntaxError as error:
    print(f"wrong {error.lineno or 0}:{error.offset or 0}:{error.msg}")
except (ValueError, RecursionError, MemoryError, OverflowError) as error:
    print(f"wrong 0:0:{error or type(error).__name__}")
`;

export interface ScriptCheckOptions {
  environment: Environment;
  deadlineMs: number;
  /** The interpreter, found on the PATH. */
  python?: string;
}

/** Asks python3 whether a script parses. A few at once; more wait their turn, too many are sent away. */
export function createPythonScriptCheck(options: ScriptCheckOptions): CheckScript {
  const turn = createTurns();
  return async (file) => {
    const { size } = await stat(file);
    if (size > scriptBytesMax) return `has ${size} bytes, more than the ${scriptBytesMax} that a script may have`;
    const content = await readFile(file);
    const verdict = await turn(() => runPython(content, options));
    if (verdict.includes('sound')) return undefined;
    const [, line, column, message] = /^wrong (\d+):(-?\d+):(.*)$/m.exec(verdict) ?? [];
    if (message === undefined) return 'cannot be parsed: Python itself ended while it read it';
    return line === '0' ? `syntax error: ${message}` : `syntax error in line ${line}, column ${column}: ${message}`;
  };
}

/** What the checker printed. */
function runPython(
  script: Buffer,
  { environment, deadlineMs, python = 'python3' }: ScriptCheckOptions,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(python, ['-I', '-S', '-W', 'ignore', '-c', checker], {
      stdio: ['pipe', 'pipe', 'ignore'],
      // Nothing of this process's settings, some of which are secret.
      env: { PATH: environment['PATH'], HOME: environment['HOME'] },
    });
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, deadlineMs);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (output.length < outputMax) output += text;
    });
    child.on('error', (cause) => {
      clearTimeout(timer);
      const message = 'the scoring script cannot be checked: python3 is not on the PATH of the platform; install it';
      reject(new PlatformError('failed_precondition', 'PYTHON_MISSING', message, { cause }));
    });
    child.on('close', () => {
      clearTimeout(timer);
      if (late) reject(tooLate(deadlineMs));
      else resolve(output);
    });
    // Python may end before it has read everything.
    child.stdin.on('error', () => undefined);
    child.stdin.end(script);
  });
}

function tooLate(deadlineMs: number): PlatformError {
  const message = `the scoring script could not be checked within ${deadlineMs / 1_000} s; try again`;
  return new PlatformError('unavailable', 'SCRIPT_CHECK_TIMEOUT', message, { retryAfterMs: 2_000 });
}

function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= atOnceMax) {
      if (waiting.length >= waitingMax) {
        const message = 'too many scoring scripts are being checked; try again shortly';
        throw new PlatformError('resource_exhausted', 'SCRIPT_CHECKS_BUSY', message, { retryAfterMs: 1_000 });
      }
      // Whoever ends hands its place over, so `running` stays as it is.
      await new Promise<void>((next) => waiting.push(next));
    } else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
