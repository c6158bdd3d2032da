import type { Clock } from './clock.ts';
import { messageOf, RunError } from './errors.ts';
import { createExecutor, type Executor, type Vu } from './executors/index.ts';
import type { Log } from './log.ts';
import type { RunOptions, Scenario } from './options.ts';
import { createScope, createVuState, type ScenarioState, type TestRun } from './scope.ts';
import { findFunction, loadScript } from './script.ts';
import { VirtualUser } from './virtual-user.ts';

export interface ScenarioContext {
  test: TestRun;
  scriptPath: string;
  clock: Clock;
  log: Log;
  /** Aborted when the whole run ends at once. */
  stop: AbortSignal;
}

export interface PreparedScenario {
  readonly name: string;
  readonly options: Scenario;
  readonly executor: Executor;
  readonly closers: (() => void)[];
  /** Waits for the scenario's startTime, then runs it to its end. */
  run(setupData: string | undefined): Promise<void>;
}

/** Makes all scenarios ready to go: their first virtual users have run the script's top level. */
export async function prepareScenarios(options: RunOptions, context: ScenarioContext): Promise<PreparedScenario[]> {
  const ids = { last: 0 };
  const prepared = Object.entries(options.scenarios).map(
    ([name, scenario]) => new OneScenario(name, scenario, context, ids),
  );
  for (const scenario of prepared) await scenario.prepare();
  return prepared;
}

class OneScenario implements PreparedScenario {
  readonly name: string;
  readonly options: Scenario;
  readonly executor: Executor;
  readonly closers: (() => void)[] = [];
  private readonly context: ScenarioContext;
  private readonly ids: { last: number };
  private readonly state: ScenarioState;
  private readonly vus: Vu[] = [];
  private setupData: string | undefined;

  constructor(name: string, options: Scenario, context: ScenarioContext, ids: { last: number }) {
    this.name = name;
    this.options = options;
    this.context = context;
    this.ids = ids;
    const { clock, stop } = context;
    const state = { name, executor: options.executor, environment: options.env, tags: options.tags };
    this.executor = createExecutor(options, {
      clock,
      stop,
      addVu: () => this.addVuWhileRunning(),
      dropped: () => context.test.metrics.addByName('dropped_iterations', 1, this.tags),
    });
    this.state = { ...state, durationMs: this.executor.durationMs, startedAt: 0, iterations: 0 };
  }

  private get tags(): Record<string, string> {
    return { ...this.context.test.options?.tags, scenario: this.name, ...this.options.tags };
  }

  async prepare(): Promise<void> {
    for (let made = 0; made < this.executor.initialVus; made++) this.vus.push(await this.addVu());
  }

  async run(setupData: string | undefined): Promise<void> {
    const { clock, stop } = this.context;
    this.setupData = setupData;
    await clock.wait(this.options.startTime, stop);
    if (stop.aborted) return;
    this.state.startedAt = clock.now();
    await this.executor.run(this.vus);
  }

  private async addVu(): Promise<Vu> {
    const { test, scriptPath, clock, log } = this.context;
    const state = createVuState(++this.ids.last);
    this.closers.push(() => state.closers.forEach((close) => close()));
    const exports = await loadScript(scriptPath, createScope(test, state, 'init'));
    const work = findFunction(exports, this.options.exec);
    if (work === undefined) {
      throw new RunError(
        'invalidConfig',
        `scenario '${this.name}': the script exports no function '${this.options.exec}'`,
      );
    }
    test.counts.vusInitialized += 1;
    // Read when an iteration begins: setup() runs after the first users were made.
    const setupData = (): string | undefined => this.setupData;
    return new VirtualUser({ test, state, scenario: this.state, work, setupData, clock, log });
  }

  private async addVuWhileRunning(): Promise<Vu | undefined> {
    try {
      return await this.addVu();
    } catch (error) {
      this.context.test.abort(error instanceof Error ? error : new Error(messageOf(error)));
      return undefined;
    }
  }
}
