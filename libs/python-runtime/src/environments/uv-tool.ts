import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PlatformError } from '@mooring/errors';
import { takeLock } from './owned-lock.ts';
import { runTool, type ToolResult } from './run-tool.ts';

const pins = fileURLToPath(new URL('../../uv.txt', import.meta.url));

export interface UvOptions {
  /** Where the pinned uv is kept. */
  toolsDir: string;
  environment: Readonly<Record<string, string>>;
  onLine: (line: string) => void;
  signal: AbortSignal;
}

/** Where the pinned uv is, or would be. */
export function uvPath(toolsDir: string): string {
  const version = /^uv==(\S+)/m.exec(readFileSync(pins, 'utf8'))?.[1] ?? 'unknown';
  return join(toolsDir, `uv-${version}`);
}

/** The pinned uv; installed from its wheel, whose hash is checked, when it is not there yet. */
export async function ensureUv(options: UvOptions): Promise<string> {
  const path = uvPath(options.toolsDir);
  if (existsSync(path)) return path;
  mkdirSync(options.toolsDir, { recursive: true });
  const release = await takeLock(`${path}.lock`, {
    signal: options.signal,
    onWait: () => options.onLine('another process is installing uv; waiting for it'),
    done: () => existsSync(path),
  });
  if (release === undefined) return path;
  const work = mkdtempSync(join(options.toolsDir, 'uv-new-'));
  try {
    await install(path, work, options);
  } finally {
    rmSync(work, { recursive: true, force: true, maxRetries: 3 });
    release();
  }
  return path;
}

async function install(path: string, work: string, options: UvOptions): Promise<void> {
  const startedMs = performance.now();
  options.onLine('installing uv, which builds Python environments (once, about 5 s)');
  const step = async (command: string, args: readonly string[]): Promise<ToolResult> =>
    runTool({ command, args, environment: options.environment, cwd: work, signal: options.signal });
  const [python, ...pip] = await findPip(work, step);
  const download = [
    'download',
    '--quiet',
    '--no-deps',
    '--only-binary',
    ':all:',
    '--require-hashes',
    '-r',
    pins,
    '-d',
    work,
  ];
  must(await step(python, [...pip, ...download]), 'download');
  must(await step('python3', ['-I', '-c', unpack, work, join(work, 'uv')]), 'unpack');
  chmodSync(join(work, 'uv'), 0o755);
  renameSync(join(work, 'uv'), path);
  options.onLine(`installed uv in ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`);
}

const unpack = [
  'import glob, os, shutil, sys, zipfile',
  'work, target = sys.argv[1:]',
  "with zipfile.ZipFile(glob.glob(os.path.join(work, '*.whl'))[0]) as wheel:",
  "    name = next(n for n in wheel.namelist() if n.endswith('/scripts/uv'))",
  "    with wheel.open(name) as packed, open(target, 'wb') as out:",
  '        shutil.copyfileobj(packed, out)',
].join('\n');

/** The machine's own pip, or that of a new virtual environment: some systems ship Python without it. */
async function findPip(
  work: string,
  step: (command: string, args: readonly string[]) => Promise<ToolResult>,
): Promise<[string, ...string[]]> {
  const pip = ['-m', 'pip'];
  if ((await step('python3', [...pip, '--version'])).exitCode === 0) return ['python3', ...pip];
  must(await step('python3', ['-m', 'venv', join(work, 'venv')]), 'make a virtual environment for');
  return [join(work, 'venv', 'bin', 'python'), ...pip];
}

function must(result: ToolResult, what: string): void {
  if (result.exitCode === 0) return;
  const why = result.lines.slice(-8).join('\n');
  throw new PlatformError(
    'unavailable',
    'ENVIRONMENT_TOOL_MISSING',
    `could not ${what} uv, which builds Python environments:\n${why}`,
  );
}
