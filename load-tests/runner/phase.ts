import type { Clock } from './clock.ts';
import { formatDuration } from './duration.ts';
import { RunError } from './errors.ts';
import { createScope, runIn, type TestRun, type VuState } from './scope.ts';

export interface PhaseParts {
  test: TestRun;
  vu: VuState;
  clock: Clock;
  name: 'setup' | 'teardown';
  limitMs: number;
  work: () => unknown;
}

/** Runs setup() or teardown() within its time; rejects with a RunError. */
export async function runPhase({ test, vu, clock, name, limitMs, work }: PhaseParts): Promise<unknown> {
  // Not under the run's own stop signal: teardown has to clean up after an aborted test as well.
  const limit = new AbortController();
  const scope = createScope(test, vu, name, { signal: limit.signal });
  const late = async (): Promise<never> => {
    await clock.wait(limitMs, limit.signal);
    throw new RunError(`${name}Timeout`, `${name}() took longer than ${formatDuration(limitMs)}`);
  };
  try {
    return await Promise.race([runIn(scope, async () => await work()), late()]);
  } catch (error) {
    if (error instanceof RunError) throw error;
    const where = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new RunError('scriptException', `${name}() failed: ${where}`, { cause: error });
  } finally {
    limit.abort();
  }
}
