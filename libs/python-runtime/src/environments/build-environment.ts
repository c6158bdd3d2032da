import { chmod, mkdir, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { PlatformError } from '@mooring/errors';
import { tellPlan, type EnvironmentPlan } from './environment-plan.ts';
import type { Interpreter } from './interpreter.ts';
import { runTool, type ToolResult } from './run-tool.ts';

export interface BuildOptions {
  plan: EnvironmentPlan;
  python: Interpreter;
  /** Undefined when no packages are wanted. */
  uv: string | undefined;
  /** Downloads and built wheels, on the file system of the environments, so that files are linked and not copied. */
  cacheDir: string;
  environment: Readonly<Record<string, string>>;
  onLine: (line: string) => void;
  signal: AbortSignal;
}

/** Says what is in an environment; its being there says that the environment is whole. */
export const recordName = 'environment.json';
const saidLines = 12;
const unreachable =
  /failed to fetch|error sending request|dns error|connection (?:refused|reset|closed)|timed out|timeout|network is unreachable|could not connect|invalid peer certificate|network was disabled/i;

/** Builds the environment in `work`, moves it to `target` and makes it read-only. Whoever was faster there wins. */
export async function buildEnvironment(work: string, target: string, options: BuildOptions): Promise<void> {
  const startedMs = performance.now();
  await mkdir(work, { recursive: true, mode: 0o755 });
  if (options.uv === undefined) await makeBare(work, options);
  else await install(work, options.uv, options);
  const packages = options.uv === undefined ? [] : await listPackages(work, options.uv, options);
  const record = {
    python: options.python,
    ...tellPlan(options.plan),
    packages,
    builtAt: new Date().toISOString(),
    buildMs: Math.round(performance.now() - startedMs),
  };
  await writeFile(join(work, recordName), `${JSON.stringify(record, undefined, 2)}\n`);
  await protectEntries(work);
  try {
    await rename(work, target);
    await chmod(target, 0o555);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  options.onLine(`environment ready after ${(record.buildMs / 1_000).toFixed(1)} s, ${packages.length} packages`);
}

async function makeBare(work: string, options: BuildOptions): Promise<void> {
  const { python, environment, signal } = options;
  const args = ['-I', '-m', 'venv', '--without-pip', work];
  const made = await runTool({ command: python.path, args, environment, cwd: work, signal });
  if (made.exitCode !== 0) throw buildFailed('a virtual environment could not be made', made);
}

async function install(work: string, uv: string, options: BuildOptions): Promise<void> {
  const { plan, python, onLine } = options;
  onLine(`building an environment of ${plan.requirements.length} requirements with Python ${python.version}`);
  const venv = ['venv', '--quiet', '--relocatable', '--no-project', '--allow-existing', '--python', python.path, work];
  const made = await runUv(uv, venv, work, options);
  if (made.exitCode !== 0) throw buildFailed('a virtual environment could not be made', made);
  const { sources } = plan;
  const args = ['pip', 'install', '--python', join(work, 'bin', 'python'), '--requirement', '-', '--compile-bytecode'];
  // As pip does, for which these lists of packages are written.
  args.push('--index-strategy', 'unsafe-best-match');
  if (sources.prerelease) args.push('--prerelease', 'allow');
  for (const name of sources.noBinary) args.push('--no-binary', name);
  for (const name of sources.onlyBinary) args.push('--only-binary', name);
  const installed = await runUv(uv, args, work, options, plan.requirements.join('\n'));
  if (installed.exitCode !== 0) throw installFailed(installed);
}

async function runUv(
  uv: string,
  args: readonly string[],
  cwd: string,
  options: BuildOptions,
  input?: string,
): Promise<ToolResult> {
  return runTool({
    command: uv,
    args: [...args, '--no-config', '--no-progress', '--color', 'never'],
    environment: { ...uvEnvironment(options), UV_CACHE_DIR: options.cacheDir },
    cwd,
    ...(input === undefined ? {} : { input }),
    onLine: options.onLine,
    signal: options.signal,
  });
}

/** Addresses may hold passwords, so they go where no list of processes shows them. */
function uvEnvironment({ environment, plan }: BuildOptions): Record<string, string> {
  const { index, extraIndexes, findLinks } = plan.sources;
  return {
    UV_SYSTEM_CERTS: 'true',
    UV_CONCURRENT_BUILDS: String(Math.max(1, Math.floor(availableParallelism() / 2))),
    ...environment,
    UV_LINK_MODE: 'hardlink',
    UV_PYTHON_DOWNLOADS: 'never',
    ...(index === undefined ? {} : { UV_DEFAULT_INDEX: index }),
    ...(extraIndexes.length === 0 ? {} : { UV_INDEX: extraIndexes.join(' ') }),
    ...(findLinks.length === 0 ? {} : { UV_FIND_LINKS: findLinks.join(',') }),
  };
}

async function listPackages(work: string, uv: string, options: BuildOptions): Promise<unknown[]> {
  const args = ['pip', 'list', '--quiet', '--format', 'json', '--python', join(work, 'bin', 'python')];
  const listed = await runUv(uv, args, work, options);
  return listed.exitCode === 0 ? (JSON.parse(listed.stdout) as unknown[]) : [];
}

function installFailed(result: ToolResult): PlatformError {
  if (!unreachable.test(result.lines.join('\n'))) return buildFailed('the packages could not be installed', result);
  return new PlatformError(
    'unavailable',
    'PACKAGE_INDEX_UNREACHABLE',
    `the package index could not be reached; check the network and the index's address:\n${lastLines(result)}`,
    { retryAfterMs: 10_000 },
  );
}

function buildFailed(what: string, result: ToolResult): PlatformError {
  return new PlatformError('failed_precondition', 'ENVIRONMENT_BUILD_FAILED', `${what}:\n${lastLines(result)}`);
}

function lastLines(result: ToolResult): string {
  return result.lines
    .filter((line) => line.trim() !== '')
    .slice(-saidLines)
    .join('\n');
}

/**
 * Takes the write permission off everything in `folder`. Files are linked to those of the cache, which nobody may change
 * either. The folder itself stays writable, because it is still to be moved.
 */
async function protectEntries(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await protectEntries(path);
    if (entry.isDirectory()) await chmod(path, 0o555);
    else if (entry.isFile()) await chmod(path, (await stat(path)).mode & 0o7555);
  }
}
