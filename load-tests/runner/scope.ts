import { AsyncLocalStorage } from 'node:async_hooks';
import type { Metrics, Tags } from './metrics/registry.ts';
import type { RunOptions } from './options.ts';
import type { Checks } from './checks.ts';

export type Phase = 'init' | 'setup' | 'iteration' | 'teardown' | 'summary';

/** What all parts of one run share. */
export interface TestRun {
  readonly metrics: Metrics;
  readonly checks: Checks;
  /** Known once the script's top level has run. */
  options: RunOptions | undefined;
  readonly scriptFolder: string;
  readonly environment: Readonly<Record<string, string>>;
  /** `performance.now()` at which the scenarios began. */
  startedAt: number;
  readonly counts: RunCounts;
  /** SharedArrays by name: made once, used by all. */
  readonly sharedArrays: Map<string, readonly unknown[]>;
  /** Ends the run at once. */
  abort(reason: Error): void;
  /** The run goes on and fails at its end. */
  markFailed(message: string): void;
}

export interface RunCounts {
  completed: number;
  interrupted: number;
  vusActive: number;
  vusInitialized: number;
}

export interface ScenarioState {
  readonly name: string;
  readonly executor: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly tags: Tags;
  readonly durationMs: number;
  startedAt: number;
  iterations: number;
}

/** What belongs to one virtual user for as long as it lives. */
export interface VuState {
  /** From 1; 0 is the one that reads options and runs setup and teardown. */
  readonly id: number;
  iterations: number;
  /** Set by scripts through `exec.vu.metrics.tags`. */
  readonly tags: Record<string, string>;
  /** Closes what the virtual user holds open, when the run ends. */
  readonly closers: (() => void)[];
  /** What the k6 modules keep for this user: connections, response callback. */
  readonly store: Map<symbol, unknown>;
}

/** Where a piece of script code runs. Every iteration has its own, and what it awaits stays in it. */
export interface Scope {
  readonly test: TestRun;
  readonly vu: VuState;
  readonly phase: Phase;
  readonly scenario: ScenarioState | undefined;
  /** Counted per virtual user from 0. */
  readonly iteration: number;
  readonly iterationInTest: number;
  /** The iteration is interrupted. */
  readonly signal: AbortSignal;
  /** Path of the groups around, `::load::warm up`. */
  group: string;
  /** Without those of single samples. */
  readonly tags: Tags;
}

const scopes = new AsyncLocalStorage<Scope>();

export function runIn<T>(scope: Scope, work: () => T): T {
  return scopes.run(scope, work);
}

export function currentScope(): Scope {
  const scope = scopes.getStore();
  if (scope === undefined) throw new Error('k6 modules work inside a script that the runner has started');
  return scope;
}

export function findScope(): Scope | undefined {
  return scopes.getStore();
}

/** For what k6 allows while virtual users run only. */
export function requireRunning(what: string): Scope {
  const scope = currentScope();
  if (scope.phase === 'init')
    throw new Error(`${what} cannot be used at a script's top level; call it in an iteration`);
  return scope;
}

export function requireInit(what: string): Scope {
  const scope = currentScope();
  if (scope.phase !== 'init') throw new Error(`${what} can be used at a script's top level only`);
  return scope;
}

export function createVuState(id: number): VuState {
  return { id, iterations: 0, tags: {}, closers: [], store: new Map() };
}

export function createScope(
  test: TestRun,
  vu: VuState,
  phase: Phase,
  more: Partial<Pick<Scope, 'scenario' | 'iteration' | 'iterationInTest' | 'signal'>> = {},
): Scope {
  const { scenario, iteration = 0, iterationInTest = 0, signal = neverAborted } = more;
  const tags = {
    ...test.options?.tags,
    ...(scenario === undefined ? {} : { scenario: scenario.name, ...scenario.tags }),
    ...vu.tags,
  };
  return { test, vu, phase, scenario, iteration, iterationInTest, signal, group: '', tags };
}

const neverAborted = new AbortController().signal;
