import { setTimeout as delay } from 'node:timers/promises';

const lookEveryMs = 5;

/**
 * Resolves when calls can be answered as quickly as ever: instances are connected, models are inline. At most `timeoutMs`
 * later: one instance that does not answer must not keep a router from serving the others.
 */
export async function warm(
  parts: { connected: () => boolean; loaded: () => Promise<void> },
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const late = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const pause = (ms: number): Promise<void> => delay(ms, undefined, { signal: late }).catch(() => undefined);
  while (!parts.connected() && !late.aborted) await pause(lookEveryMs);
  await Promise.race([parts.loaded(), pause(timeoutMs)]);
}
