import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const main = join(import.meta.dirname, '..', 'main.ts');

export interface Finished {
  exitCode: number | null;
  stdout: string;
  stderr: string;
  /** Of --summary-export; empty when the run came to no summary. */
  metrics: Record<string, Record<string, number> & { thresholds?: Record<string, boolean> }>;
  checks: Record<string, { passes: number; fails: number }>;
}

export interface Running {
  child: ChildProcess;
  finished: Promise<Finished>;
}

/** The runner as its users start it: a process of its own. `script` is a path, or the script itself. */
export function startScript(folder: string, script: string, args: readonly string[] = []): Running {
  const isText = script.includes('\n');
  const path = isText ? join(folder, 'script.ts') : script;
  if (isText) writeFileSync(path, script);
  const summary = join(folder, 'summary.json');
  const child = spawn(process.execPath, [main, path, '--summary-export', summary, ...args], {
    cwd: folder,
    // What the machine has set must not change a scenario's defaults.
    env: {},
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { child, finished: finish(child, summary) };
}

export function runScript(folder: string, script: string, args: readonly string[] = []): Promise<Finished> {
  return startScript(folder, script, args).finished;
}

async function finish(child: ChildProcess, summaryPath: string): Promise<Finished> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { exitCode, stdout, stderr, ...readSummary(summaryPath) };
}

function readSummary(path: string): Pick<Finished, 'metrics' | 'checks'> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return { metrics: {}, checks: {} };
  }
  const { metrics, root_group: root } = JSON.parse(text) as {
    metrics: Finished['metrics'];
    root_group: { checks: { name: string; passes: number; fails: number }[] };
  };
  return {
    metrics,
    checks: Object.fromEntries(root.checks.map(({ name, passes, fails }) => [name, { passes, fails }])),
  };
}
