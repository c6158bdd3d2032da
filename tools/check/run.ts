import { spawn } from 'node:child_process';

/** What one step came to: how many checks passed and failed. */
export interface Outcome {
  passed: number;
  failed: number;
}

export interface CommandResult {
  ok: boolean;
  output: string;
}

/** Runs a command to its end; shows its output while it runs when `show` is set. */
export function command(
  program: string,
  args: readonly string[],
  options: { show?: boolean; env?: NodeJS.ProcessEnv } = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, FORCE_COLOR: '0', NO_COLOR: '1', NX_DAEMON: 'false', ...options.env },
    });
    let output = '';
    const take = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-200_000);
      if (options.show === true) process.stdout.write(chunk);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', (error) => resolve({ ok: false, output: `${output}${error.message}` }));
    child.on('close', (code) => resolve({ ok: code === 0, output }));
  });
}

/** One check that either holds or not; what it printed is shown only when it fails. */
export async function single(result: Promise<CommandResult>): Promise<Outcome> {
  const { ok, output } = await result;
  if (!ok) process.stdout.write(`${output.trimEnd()}\n`);
  return ok ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}
