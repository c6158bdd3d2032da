import type { Clock } from './clock.ts';
import { Interrupted, RunError } from './errors.ts';
import type { Vu } from './executors/index.ts';
import type { Log } from './log.ts';
import { createScope, runIn, type ScenarioState, type TestRun, type VuState } from './scope.ts';
import type { ScriptFunction } from './script.ts';

export interface VirtualUserParts {
  test: TestRun;
  state: VuState;
  scenario: ScenarioState;
  work: ScriptFunction;
  /** What setup() returned, as JSON text: each iteration gets its own copy. */
  setupData: () => string | undefined;
  clock: Clock;
  log: Log;
}

const interrupted = Symbol('interrupted');

/** Runs the script's function, one iteration at a time, and counts what came of it. */
export class VirtualUser implements Vu {
  private readonly parts: VirtualUserParts;
  private running: AbortController | undefined;

  constructor(parts: VirtualUserParts) {
    this.parts = parts;
  }

  async iterate(intendedStart: number): Promise<void> {
    const { test, state, scenario, clock } = this.parts;
    const controller = new AbortController();
    this.running = controller;
    const scope = createScope(test, state, 'iteration', {
      scenario,
      iteration: state.iterations++,
      iterationInTest: scenario.iterations++,
      signal: controller.signal,
    });
    const startedAt = clock.now();
    test.counts.vusActive += 1;
    try {
      const ending = await Promise.race([
        runIn(scope, () => this.attempt(controller.signal)),
        abortOf(controller.signal),
      ]);
      if (ending === interrupted) {
        test.counts.interrupted += 1;
        return;
      }
      const { metrics, options } = test;
      const tags = { ...scope.tags, group: '' };
      const isOpenModel = scenario.executor.endsWith('arrival-rate');
      // Starting early is the timer's doing, so it shortens nothing.
      const begun = Math.min(intendedStart, startedAt);
      metrics.addByName('iteration_duration', clock.now() - begun, tags);
      if (isOpenModel) metrics.addByName('iteration_start_delay', startedAt - begun, tags);
      metrics.addByName('iterations', 1, tags);
      test.counts.completed += 1;
      await clock.wait(startedAt + (options?.minIterationDuration ?? 0) - clock.now(), controller.signal);
    } finally {
      test.counts.vusActive -= 1;
      this.running = undefined;
    }
  }

  interrupt(): void {
    this.running?.abort(new Interrupted());
  }

  /** A failed iteration is told and counted like any other; only what ends the run goes further. */
  private async attempt(signal: AbortSignal): Promise<void> {
    const { test, work, setupData, log } = this.parts;
    try {
      const data = setupData();
      await work(data === undefined ? undefined : JSON.parse(data));
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof RunError) test.abort(error);
      else log.iterationFailed(error);
    }
  }
}

function abortOf(signal: AbortSignal): Promise<typeof interrupted> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(interrupted), { once: true });
  });
}
