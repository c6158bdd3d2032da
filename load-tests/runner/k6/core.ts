import { performance } from 'node:perf_hooks';
import { currentScope, requireRunning } from '../scope.ts';

type Checkers = Readonly<Record<string, unknown>>;

/** Counts each named condition; true when all hold. */
export function check(value: unknown, checkers: Checkers, tags: Readonly<Record<string, string>> = {}): boolean {
  const scope = requireRunning('check()');
  const { checks, metrics } = scope.test;
  let all = true;
  for (const [name, checker] of Object.entries(checkers)) {
    let passed = false;
    try {
      const outcome: unknown =
        typeof checker === 'function' ? (checker as (given: unknown) => unknown)(value) : checker;
      if (outcome instanceof Promise) throw new TypeError(`check '${name}': k6 does not wait for promises in checks`);
      passed = Boolean(outcome);
    } finally {
      checks.count(scope.group, name, passed);
      metrics.addByName('checks', passed ? 1 : 0, { ...scope.tags, ...tags, check: name, group: scope.group });
    }
    all &&= passed;
  }
  return all;
}

export function fail(message = ''): never {
  throw new Error(message);
}

export function group<T>(name: string, work: () => T): T {
  const scope = requireRunning('group()');
  if (name.includes('::')) throw new Error(`group name '${name}' must not have '::' in it`);
  const outer = scope.group;
  const startedAt = performance.now();
  scope.group = `${outer}::${name}`;
  try {
    const result = work();
    if (result instanceof Promise) {
      throw new TypeError(`group '${name}': k6's groups take no async functions; use a tag instead`);
    }
    return result;
  } finally {
    const tags = { ...scope.tags, group: scope.group };
    scope.test.metrics.addByName('group_duration', performance.now() - startedAt, tags);
    scope.group = outer;
  }
}

export function sleep(_seconds: number): never {
  currentScope();
  throw new Error(
    'sleep() would stop all virtual users of the stand-in runner, which share a process: use an arrival-rate executor, ' +
      "minIterationDuration, or await a promise that setTimeout of 'k6/timers' resolves",
  );
}

export function randomSeed(): void {
  throw new Error('the stand-in runner cannot seed Math.random');
}

export default { check, fail, group, sleep, randomSeed };
