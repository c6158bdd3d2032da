import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command, type Outcome } from './run.ts';

interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  numFailedTestSuites: number;
  success: boolean;
}

/** Most of their time these wait for processes and sockets; vitest's own default is one worker on two cores. */
const workers: Readonly<Record<string, number>> = { integration: 3, e2e: 2 };

/**
 * Runs one vitest project and counts its tests. A skipped test counts as failed, because nothing may be skipped
 * silently; so does a file that could not be run at all.
 */
export async function vitest(
  project: string,
  env: NodeJS.ProcessEnv = {},
  filters: readonly string[] = [],
): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-tests-'));
  const file = join(folder, 'report.json');
  const args = [
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
    ...(project in workers ? [`--maxWorkers=${workers[project]}`] : []),
    ...filters,
  ];
  const { ok } = await command('node_modules/.bin/vitest', args, { show: true, env });
  try {
    const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
    const skipped = report.numPendingTests + report.numTodoTests;
    if (skipped > 0) process.stdout.write(`${skipped} tests were skipped, which counts as failed\n`);
    const failed = report.numFailedTests + skipped;
    // A file that fails to load has no tests to count, yet vitest says so by its exit status.
    return { passed: report.numPassedTests, failed: failed === 0 && !ok ? 1 : failed };
  } catch {
    process.stdout.write(`the ${project} tests gave no report\n`);
    return { passed: 0, failed: 1 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
