import { describe, expect, it } from 'vitest';
import { afterCrash, describeCrashes, givenUp, noCrashes, type CrashHistory } from './crash-history.ts';
import type { Ended } from './exit-reason.ts';

const segfault: Ended = { signal: 'SIGSEGV', status: { state: 'loading' }, lastLines: [] };
const badScript: Ended = {
  exitCode: 1,
  status: { state: 'failed', code: 'UserScriptInitFailed', message: 'init() raised ValueError: no', permanent: true },
  lastLines: [],
};

function crashed(times: number, ended: Ended, everyMs: number): CrashHistory {
  let history = noCrashes;
  for (let i = 0; i < times; i++) history = afterCrash(history, { atMs: i * everyMs, ended }, 0);
  return history;
}

describe('a history of crashes', () => {
  it('tells how often and why in words', () => {
    expect(describeCrashes(crashed(4, segfault, 20_000))).toBe(
      'exited 139 four times in 60 s: segmentation fault in model load',
    );
    expect(describeCrashes(crashed(1, segfault, 0))).toBe('exited 139: segmentation fault in model load');
  });

  it('starts again at once after the first end and waits longer after each further one', () => {
    const waits = [1, 2, 3, 4, 9].map((n) => crashed(n, segfault, 0).nextStartAtMs);
    expect(waits).toEqual([0, 1_000, 2_000, 4_000, 60_000]);
  });

  it('gives up after four crashes in a row', () => {
    expect(givenUp(crashed(3, segfault, 1_000))).toBeUndefined();
    expect(givenUp(crashed(4, segfault, 1_000))?.code).toBe('DeploymentCrashLoopBackOff');
  });

  it('gives up after two tries when starting again cannot help', () => {
    expect(givenUp(crashed(1, badScript, 0))).toBeUndefined();
    expect(givenUp(crashed(2, badScript, 500))).toEqual({
      code: 'UserScriptInitFailed',
      message: 'init() raised ValueError: no',
    });
  });

  it('counts anew after an instance that served for a minute', () => {
    const history = afterCrash(crashed(5, segfault, 0), { atMs: 90_000, ended: segfault }, 61_000);
    expect(history.crashes).toHaveLength(1);
    expect(history.nextStartAtMs).toBe(90_000);
  });
});
