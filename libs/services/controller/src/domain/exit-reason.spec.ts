import { describe, expect, it } from 'vitest';
import { azureCodeOf, mib, whatEnded, whyEnded, type Ended } from './exit-reason.ts';

const loading = { state: 'loading' } as const;
const serving = { state: 'ready' } as const;

describe('the reason of an end', () => {
  it.each<{ ended: Ended; what: string; why: string }>([
    {
      ended: { signal: 'SIGSEGV', status: loading, lastLines: [] },
      what: 'exited 139',
      why: 'segmentation fault in model load',
    },
    {
      ended: { exitCode: 139, status: serving, lastLines: ['x'] },
      what: 'exited 139',
      why: 'segmentation fault while serving',
    },
    {
      ended: { signal: 'SIGKILL', outOfMemoryLimitMib: 2048, status: serving, lastLines: [] },
      what: 'was killed',
      why: 'it needed more memory than its limit of 2 GiB while serving',
    },
    {
      ended: { signal: 'SIGKILL', endedBecause: 'used 2.1 GiB, over its memory limit of 2 GiB', lastLines: [] },
      what: 'was ended',
      why: 'used 2.1 GiB, over its memory limit of 2 GiB',
    },
    {
      ended: { exitCode: 1, lastLines: ['Traceback', "ModuleNotFoundError: No module named 'torch'", ''] },
      what: 'exited 1',
      why: "its last words while starting: ModuleNotFoundError: No module named 'torch'",
    },
    {
      ended: { exitCode: 3, status: { state: 'failed', message: 'init() raised' }, lastLines: ['noise'] },
      what: 'exited 3',
      why: 'init() raised',
    },
    { ended: { lastLines: [] }, what: 'was gone', why: 'it said nothing while starting' },
  ])('says "$what: $why"', ({ ended, what, why }) => {
    expect(whatEnded(ended)).toBe(what);
    expect(whyEnded(ended)).toBe(why);
  });

  it("keeps the scorer's own code, and has one for memory and one for the rest", () => {
    expect(azureCodeOf({ exitCode: 1, status: { state: 'failed', code: 'UserScriptInitFailed' }, lastLines: [] })).toBe(
      'UserScriptInitFailed',
    );
    expect(azureCodeOf({ outOfMemoryLimitMib: 1, lastLines: [] })).toBe('PodOutOfMemory');
    expect(azureCodeOf({ exitCode: 139, lastLines: [] })).toBe('DeploymentCrashLoopBackOff');
  });

  it.each([
    [2048, '2 GiB'],
    [2150, '2.1 GiB'],
    [100, '100 MiB'],
  ])('writes %i MiB as %s', (amount, text) => expect(mib(amount)).toBe(text));
});
