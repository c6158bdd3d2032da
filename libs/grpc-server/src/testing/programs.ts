import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

export interface ProgramOutput {
  code: number;
  /** stdout and stderr as they came. */
  output: string;
}

/** Runs a program to its end, at most `timeoutMs`; code -1 when it cannot be started. */
export function run(
  program: string,
  args: readonly string[],
  timeoutMs = 180_000,
  env: NodeJS.ProcessEnv = {},
): Promise<ProgramOutput> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', (error) => (output += error.message));
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? -1, output });
    });
  });
}

/** A Python with the packages, in a virtual environment that later runs find again. */
export async function pythonWith(name: string, packages: readonly string[]): Promise<string> {
  const folder = join(tmpdir(), `mooring-e2e-python-${name}`);
  const python = join(folder, 'bin/python');
  const stamp = join(folder, 'packages.txt');
  const wanted = packages.join('\n');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return python;
  const made = await run('python3', ['-m', 'venv', '--clear', folder]);
  if (made.code !== 0) throw new Error(made.output);
  const installed = await run(python, ['-m', 'pip', 'install', '--quiet', ...packages]);
  if (installed.code !== 0) throw new Error(installed.output);
  writeFileSync(stamp, wanted);
  return python;
}

/** A Go program of this version, built once; undefined when it cannot be built here. */
export async function goProgram(packageAtVersion: string): Promise<string | undefined> {
  const [path = '', version = ''] = packageAtVersion.split('@');
  const folder = join(tmpdir(), `mooring-e2e-go-${version}`);
  const program = join(folder, basename(path));
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  const built = await run('go', ['install', packageAtVersion], 200_000, { GOBIN: folder });
  return built.code === 0 ? program : undefined;
}
