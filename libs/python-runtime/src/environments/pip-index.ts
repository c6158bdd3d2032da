import { runTool } from './run-tool.ts';

/** `environment` with the index that pip's own settings name, which uv does not read; settings made for uv win. */
export async function withPipIndex(
  environment: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  if ('UV_DEFAULT_INDEX' in environment || 'UV_INDEX_URL' in environment) return environment;
  const args = ['-I', '-m', 'pip', 'config', 'get', 'global.index-url'];
  const index = environment['PIP_INDEX_URL'] ?? (await textOf(args, environment, signal));
  return index === '' ? environment : { ...environment, UV_DEFAULT_INDEX: index };
}

/** Empty when pip is not there or has no such setting. */
async function textOf(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string> {
  const run = await runTool({ command: 'python3', args, environment, cwd: '/', signal });
  return run.exitCode === 0 ? run.stdout.trim() : '';
}
