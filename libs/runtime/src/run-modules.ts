import { startOrder, type Lifecycle, type Module, type StartContext, type StopReason } from './module.ts';

export interface RunningModules {
  /** The running instance of a module, or undefined when it is not among those started. */
  get<T extends Lifecycle>(module: Module<T>): T | undefined;
  ready(): boolean;
  /** The facts of all modules together. */
  facts(): Record<string, string>;
  /**
   * Stops everything in reverse order. Each stop has `stopTimeoutMs`; one that fails or hangs never keeps the rest from
   * stopping. Resolves with what went wrong, by module.
   */
  stop(stopTimeoutMs: number, why?: StopReason): Promise<StopFailure[]>;
  /** Stops only those that must not run while the next process does. */
  stopAlone(stopTimeoutMs: number): Promise<StopFailure[]>;
}

export interface StopFailure {
  module: string;
  error: Error;
}

/** Starts `targets` and all they need, needs first. When one fails, those already started are stopped again. */
export async function startModules(
  targets: readonly Module[],
  context: StartContext,
  startFailureStopMs = 5_000,
): Promise<RunningModules> {
  const started: { module: Module; instance: Lifecycle }[] = [];
  const running: RunningModules = {
    get: <T extends Lifecycle>(module: Module<T>) =>
      started.find((entry) => entry.module === module)?.instance as T | undefined,
    ready: () => started.every(({ instance }) => instance.ready?.() ?? true),
    facts: () =>
      Object.assign({}, ...started.map(({ instance }) => instance.facts?.() ?? {})) as Record<string, string>,
    stop: (stopTimeoutMs, why = 'asked') => stopInReverse(started.splice(0), stopTimeoutMs, why),
    stopAlone: (stopTimeoutMs) => {
      const alone = started.filter(({ module }) => module.alone === true);
      for (const entry of alone) started.splice(started.indexOf(entry), 1);
      return stopInReverse(alone, stopTimeoutMs, 'replaced');
    },
  };
  for (const module of startOrder(targets)) {
    const needs = Object.fromEntries(Object.entries(module.needs).map(([key, need]) => [key, running.get(need)]));
    try {
      const instance = await module.create(needs, { ...context, log: context.log.child({ module: module.name }) });
      await instance.start?.();
      started.push({ module, instance });
    } catch (cause) {
      await running.stop(startFailureStopMs);
      throw new Error(`${module.name} failed to start: ${cause instanceof Error ? cause.message : String(cause)}`, {
        cause,
      });
    }
  }
  return running;
}

async function stopInReverse(
  started: readonly { module: Module; instance: Lifecycle }[],
  stopTimeoutMs: number,
  why: StopReason,
): Promise<StopFailure[]> {
  const failures: StopFailure[] = [];
  for (const { module, instance } of started.toReversed()) {
    if (!instance.stop) continue;
    try {
      await stopWithin((signal) => instance.stop?.(signal, why) ?? Promise.resolve(), stopTimeoutMs);
    } catch (thrown) {
      failures.push({ module: module.name, error: thrown instanceof Error ? thrown : new Error(String(thrown)) });
    }
  }
  return failures;
}

async function stopWithin(stop: (signal: AbortSignal) => Promise<void>, timeoutMs: number): Promise<void> {
  const deadline = new AbortController();
  const timer = Promise.withResolvers<never>();
  const handle = setTimeout(() => {
    deadline.abort(new Error(`did not stop within ${timeoutMs} ms`));
    // A little longer for what the abort sets going; then it is left behind.
    setTimeout(() => timer.reject(deadline.signal.reason as Error), 250).unref();
  }, timeoutMs);
  try {
    await Promise.race([stop(deadline.signal), timer.promise]);
    if (deadline.signal.aborted) throw deadline.signal.reason as Error;
  } finally {
    clearTimeout(handle);
  }
}
