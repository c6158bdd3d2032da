import { describe, expect, it } from 'vitest';
import { PlatformError } from '@mooring/errors';
import { inArmPaths, nameProblems, refusal } from './refusal.ts';

describe('a refusal', () => {
  it('is for later only when nothing else is wrong', () => {
    const later = { path: 'a', problem: 'asks for b', later: true } as const;
    expect(refusal('x', [later])).toMatchObject({ code: 'unimplemented', reason: 'NOT_SUPPORTED_YET' });
    const wrong = refusal('x', [later, { path: 'c', problem: 'is missing' }]);
    expect(wrong).toMatchObject({ code: 'invalid_argument', reason: 'VALIDATION_FAILED' });
    expect(wrong.problems).toEqual([
      { path: 'a', problem: 'asks for b' },
      { path: 'c', problem: 'is missing' },
    ]);
  });

  it('of the registry speaks of the fields of the body', () => {
    const error = PlatformError.invalid('a deployment', [
      { path: 'requestSettings.requestTimeoutMs', problem: 'is too large' },
      { path: 'endpointName', problem: 'there is none' },
    ]);
    const told = inArmPaths('online-deployment', error);
    expect(told.problems.map(({ path }) => path)).toEqual([
      'properties.requestSettings.requestTimeout',
      'endpointName',
    ]);
    expect(told.message).toBe(
      'a deployment: properties.requestSettings.requestTimeout: is too large; endpointName: there is none',
    );
  });

  it('without problems passes as it is', () => {
    const stale = new PlatformError('aborted', 'STALE_ETAG', 'changed');
    expect(inArmPaths('model', stale)).toBe(stale);
  });
});

describe('names in a path', () => {
  it('are told apart by what they name, and shown no longer than a line', () => {
    expect(nameProblems('online-deployment', ['cars', '9'])).toMatchObject([{ path: 'name' }]);
    expect(nameProblems('online-deployment', ['c', '-'])).toMatchObject([{ path: 'endpointName' }, { path: 'name' }]);
    expect(nameProblems('model', ['fern', '1.0'])).toEqual([]);
    const [problem] = nameProblems('online-endpoint', ['x'.repeat(500)]);
    expect(problem?.problem.length).toBeLessThan(100);
  });
});
