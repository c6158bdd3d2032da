import { performance } from 'node:perf_hooks';
import { RunError } from '../errors.ts';
import { currentScope, type ScenarioState } from '../scope.ts';

export const scenario = {
  get name(): string {
    return required().name;
  },
  get executor(): string {
    return required().executor;
  },
  /** Unix milliseconds. */
  get startTime(): number {
    return performance.timeOrigin + required().startedAt;
  },
  get progress(): number {
    const { startedAt, durationMs } = required();
    return durationMs === 0 ? 1 : Math.min(1, (performance.now() - startedAt) / durationMs);
  },
  get iterationInInstance(): number {
    return currentScope().iterationInTest;
  },
  get iterationInTest(): number {
    return currentScope().iterationInTest;
  },
};

export const instance = {
  get iterationsInterrupted(): number {
    return currentScope().test.counts.interrupted;
  },
  get iterationsCompleted(): number {
    return currentScope().test.counts.completed;
  },
  get vusActive(): number {
    return currentScope().test.counts.vusActive;
  },
  get vusInitialized(): number {
    return currentScope().test.counts.vusInitialized;
  },
  /** Milliseconds. */
  get currentTestRunDuration(): number {
    return performance.now() - currentScope().test.startedAt;
  },
};

export const test = {
  abort(reason = 'test aborted'): never {
    const error = new RunError('scriptAborted', reason);
    currentScope().test.abort(error);
    throw error;
  },
  fail(message = 'marked as failed'): void {
    currentScope().test.markFailed(message);
  },
  get options(): unknown {
    return currentScope().test.options;
  },
};

export const vu = {
  get idInInstance(): number {
    return currentScope().vu.id;
  },
  get idInTest(): number {
    return currentScope().vu.id;
  },
  get iterationInInstance(): number {
    return currentScope().iteration;
  },
  get iterationInScenario(): number {
    return currentScope().iteration;
  },
  /** Tags set here hold from the user's next iteration on. */
  get tags(): Record<string, string> {
    return currentScope().vu.tags;
  },
  metrics: {
    get tags(): Record<string, string> {
      return currentScope().vu.tags;
    },
  },
};

function required(): ScenarioState {
  const current = currentScope().scenario;
  if (current === undefined) throw new Error('exec.scenario can be read in iterations only');
  return current;
}

export default { scenario, instance, test, vu };
