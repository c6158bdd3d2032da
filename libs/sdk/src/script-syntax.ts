import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { FieldProblem } from '@mooring/errors';

const deadlineMs = 10_000;
const scriptBytesMax = 4 * 1024 * 1024;

// Reads bytes, so that Python itself honours the script's encoding line. Nothing of the script is run.
const checker = `
import ast, sys
try:
    ast.parse(sys.stdin.buffer.read())
except SyntaxError as error:
    print(f"{error.lineno or 0}:{error.offset or 0}:{error.msg}")
except (ValueError, RecursionError, MemoryError) as error:
    print(f"0:0:{error}")
`;

/**
 * Parses a Python file with the machine's python3. Undefined when it is sound, or when no python3 is there to ask: the
 * platform checks it again before it stores anything.
 */
export async function checkScriptSyntax(file: string, path: string): Promise<FieldProblem | undefined> {
  const content = await readFile(file).catch(() => undefined);
  if (content === undefined) return { path, problem: `${file} may not be read`, expected: 'a readable file' };
  if (content.byteLength > scriptBytesMax) {
    return {
      path,
      problem: `${file} has ${content.byteLength} bytes`,
      expected: `a script of at most ${scriptBytesMax} bytes`,
    };
  }
  const verdict = await runPython(content);
  const [, line, column, message] = /^(-?\d+):(-?\d+):(.*)$/m.exec(verdict) ?? [];
  if (message === undefined) return undefined;
  const where = Number(line) < 1 ? file : `${file}, line ${line}, column ${column}`;
  return { path, problem: `syntax error in ${where}: ${message}`, expected: 'a script that Python can parse' };
}

/** What the checker printed; empty when Python is missing, failed or took too long. */
function runPython(script: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn('python3', ['-I', '-c', checker], {
      stdio: ['pipe', 'pipe', 'ignore'],
      timeout: deadlineMs,
      killSignal: 'SIGKILL',
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (output.length < 10_000) output += text;
    });
    child.on('error', () => resolve(''));
    child.on('close', () => resolve(output));
    // Python may end before it read everything (it is missing, or was killed).
    child.stdin.on('error', () => undefined);
    child.stdin.end(script);
  });
}
