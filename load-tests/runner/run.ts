import { realClock, type Clock } from './clock.ts';
import { Checks } from './checks.ts';
import { formatDuration } from './duration.ts';
import { exitCode, Interrupted, messageOf, RunError } from './errors.ts';
import type { Log } from './log.ts';
import { Metrics } from './metrics/registry.ts';
import { resolveOptions, type Overrides, type RunOptions } from './options.ts';
import { prepareScenarios, type PreparedScenario } from './scenarios.ts';
import { createScope, createVuState, runIn, type Phase, type Scope, type TestRun, type VuState } from './scope.ts';
import { findFunction, loadScript, type ScriptExports } from './script.ts';
import { summarise, type SummaryData } from './summary/data.ts';
import { runPhase } from './phase.ts';
import { evaluate, parseThresholds, type Threshold } from './thresholds.ts';
import { watch } from './watch.ts';

export interface RunRequest {
  /** Absolute. */
  scriptPath: string;
  scriptFolder: string;
  environment: Readonly<Record<string, string>>;
  overrides: Overrides;
  noThresholds: boolean;
  log: Log;
  /** Aborted by the operator: the test ends at once, with its summary. */
  signal: AbortSignal;
  /** Called before the load begins. */
  onReady?: (metrics: Metrics) => void;
}

export interface RunResult {
  exitCode: number;
  summary: SummaryData;
  thresholds: readonly Threshold[];
  /** What handleSummary() returned: file names (or stdout, stderr) and texts. */
  handled: Record<string, string> | undefined;
}

/** Runs one script from its top level to its summary. Rejects with a RunError when there is nothing to sum up. */
export async function runTest(request: RunRequest): Promise<RunResult> {
  const run = new Run(request, realClock);
  return await run.execute();
}

class Run {
  private readonly request: RunRequest;
  private readonly clock: Clock;
  private readonly stop = new AbortController();
  private readonly test: TestRun;
  private readonly mainVu: VuState = createVuState(0);
  private thresholds: Threshold[] = [];
  private failed: RunError | undefined;
  private marked = false;

  constructor(request: RunRequest, clock: Clock) {
    this.request = request;
    this.clock = clock;
    this.test = {
      metrics: new Metrics(),
      checks: new Checks(),
      options: undefined,
      scriptFolder: request.scriptFolder,
      environment: request.environment,
      startedAt: 0,
      counts: { completed: 0, interrupted: 0, vusActive: 0, vusInitialized: 0 },
      sharedArrays: new Map(),
      abort: (reason) => this.end(reason),
      markFailed: (message) => {
        if (!this.marked) request.log.error(`the script marked the test as failed: ${message}`);
        this.marked = true;
      },
    };
  }

  async execute(): Promise<RunResult> {
    const { signal, log, scriptPath } = this.request;
    const exports = await loadScript(scriptPath, this.scope('init'));
    const options = resolveOptions(exports['options'], this.request.overrides);
    this.test.options = options;
    this.thresholds = this.request.noThresholds ? [] : parseThresholds(options.thresholds, this.test.metrics);
    const interrupt = (): void => this.end(new RunError('interrupted', 'interrupted'));
    process.on('unhandledRejection', this.onRejection);
    signal.addEventListener('abort', interrupt, { once: true });
    const scenarios = await prepareScenarios(options, {
      test: this.test,
      scriptPath,
      clock: this.clock,
      log,
      stop: this.stop.signal,
    });
    try {
      this.announce(scenarios);
      this.request.onReady?.(this.test.metrics);
      const setupData = await this.setUp(exports, options);
      const durationMs = await this.load(scenarios, setupData);
      await this.tearDown(exports, options, setupData);
      return await this.sumUp(exports, options, durationMs, setupData);
    } finally {
      signal.removeEventListener('abort', interrupt);
      process.off('unhandledRejection', this.onRejection);
      for (const close of [...this.mainVu.closers, ...scenarios.flatMap(({ closers }) => closers)]) close();
      log.end();
    }
  }

  /** A script may leave out an await; that must not end the process. */
  private readonly onRejection = (error: unknown): void => {
    if (!(error instanceof Interrupted)) this.request.log.iterationFailed(error);
  };

  /** The first reason counts. */
  private end(reason: unknown): void {
    this.failed ??= reason instanceof RunError ? reason : new RunError('scriptException', messageOf(reason));
    this.stop.abort();
  }

  private scope(phase: Phase): Scope {
    return createScope(this.test, this.mainVu, phase, { signal: this.stop.signal });
  }

  private announce(scenarios: readonly PreparedScenario[]): void {
    const { log } = this.request;
    const total = scenarios.reduce((sum, { executor }) => sum + executor.maxVus, 0);
    log.progress(`scenarios: ${scenarios.length}, at most ${total} VUs`);
    for (const { name, executor, options } of scenarios) {
      const later = options.startTime > 0 ? `, startTime: ${formatDuration(options.startTime)}` : '';
      log.progress(`  * ${name}: ${executor.about} (gracefulStop: ${formatDuration(options.gracefulStop)}${later})`);
    }
  }

  private async setUp(exports: ScriptExports, options: RunOptions): Promise<string | undefined> {
    const setup = findFunction(exports, 'setup');
    if (setup === undefined) return undefined;
    const made = await this.phase('setup', options.setupTimeout, () => setup(undefined));
    return made === undefined ? undefined : JSON.stringify(made);
  }

  private async tearDown(exports: ScriptExports, options: RunOptions, setupData: string | undefined): Promise<void> {
    const teardown = findFunction(exports, 'teardown');
    if (teardown === undefined) return;
    try {
      await this.phase('teardown', options.teardownTimeout, () => teardown(parsed(setupData)));
    } catch (error) {
      // The load has been measured: its summary is worth more than a clean end.
      this.request.log.error(messageOf(error));
      this.end(error);
    }
  }

  private phase(name: 'setup' | 'teardown', limitMs: number, work: () => unknown): Promise<unknown> {
    return runPhase({ test: this.test, vu: this.mainVu, clock: this.clock, name, limitMs, work });
  }

  /** Milliseconds that the load took. */
  private async load(scenarios: readonly PreparedScenario[], setupData: string | undefined): Promise<number> {
    const { clock, test } = this;
    const startedAt = clock.now();
    test.startedAt = startedAt;
    const finished = new AbortController();
    const watching = watch({
      test,
      clock,
      thresholds: this.thresholds,
      log: this.request.log,
      maxVus: scenarios.reduce((sum, { executor }) => sum + executor.maxVus, 0),
      signal: AbortSignal.any([finished.signal, this.stop.signal]),
      end: (reason) => this.end(reason),
    });
    await Promise.all(scenarios.map((scenario) => scenario.run(setupData)));
    const durationMs = clock.now() - startedAt;
    finished.abort();
    await watching;
    return durationMs;
  }

  private async sumUp(
    exports: ScriptExports,
    options: RunOptions,
    durationMs: number,
    setupData: string | undefined,
  ): Promise<RunResult> {
    const { metrics, checks } = this.test;
    evaluate(this.thresholds, durationMs, true);
    const summary = summarise({ metrics, checks, thresholds: this.thresholds, options, durationMs, setupData });
    const handle = findFunction(exports, 'handleSummary');
    let handled: Record<string, string> | undefined;
    if (handle !== undefined) {
      try {
        handled = (await runIn(this.scope('summary'), async () => await handle(summary))) as Record<string, string>;
      } catch (error) {
        this.request.log.error(`handleSummary() failed: ${messageOf(error)}; the usual summary follows`);
      }
    }
    return { exitCode: this.exitCode(), summary, thresholds: this.thresholds, handled };
  }

  private exitCode(): number {
    if (this.failed !== undefined) {
      this.request.log.error(`the test ended early: ${this.failed.message}`);
      return this.failed.exitCode;
    }
    const crossed = this.thresholds.filter(({ ok }) => !ok);
    if (crossed.length > 0) {
      this.request.log.error(
        `thresholds crossed: ${crossed.map(({ metric, source }) => `${metric} ${source}`).join(', ')}`,
      );
      return exitCode.thresholdsCrossed;
    }
    return this.marked ? exitCode.markedAsFailed : exitCode.ok;
  }
}

function parsed(setupData: string | undefined): unknown {
  return setupData === undefined ? undefined : JSON.parse(setupData);
}
