import type { BatchLaunch, CommandLaunch } from '@mooring/domain';

/** Jobs end sooner, or ask again: each of their processes asks when it starts. */
const keptMs = 24 * 3_600_000;

/** The Python interpreters that jobs were given lately: a job may run with an environment that no deployment has any more. */
export function createJobInterpreters(now: () => number) {
  const givenAtMs = new Map<string, number>();
  return {
    used: ({ runtime }: BatchLaunch | CommandLaunch): void => {
      if (runtime.kind !== 'onnx') givenAtMs.set(runtime.interpreter, now());
    },
    recent: (): string[] => {
      for (const [interpreter, atMs] of givenAtMs) if (atMs < now() - keptMs) givenAtMs.delete(interpreter);
      return [...givenAtMs.keys()];
    },
  };
}
