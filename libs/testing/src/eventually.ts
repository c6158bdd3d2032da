const pollMs = 20;

/**
 * Repeats `check` until it neither throws nor returns (or resolves to) `false`, and resolves with what it returned.
 * Fails after `timeoutMs` with what went wrong last.
 */
export async function eventually<T>(check: () => T | Promise<T>, options: { timeoutMs?: number } = {}): Promise<T> {
  const timeoutMs = options.timeoutMs ?? 5_000;
  const until = performance.now() + timeoutMs;
  for (;;) {
    const outcome = await attempt(check, Math.max(1, until - performance.now()));
    if ('value' in outcome) return outcome.value;
    if (performance.now() >= until) {
      throw new Error(`not within ${timeoutMs} ms: ${messageOf(outcome.error)}`, { cause: outcome.error });
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

async function attempt<T>(check: () => T | Promise<T>, leftMs: number): Promise<{ value: T } | { error: unknown }> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('the check itself did not end')), leftMs);
  try {
    const value = await Promise.race([check(), late.promise]);
    return value === false ? { error: new Error('the condition stayed false') } : { value };
  } catch (error) {
    return { error };
  } finally {
    clearTimeout(timer);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
