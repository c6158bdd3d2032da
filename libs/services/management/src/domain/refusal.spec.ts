import { describe, expect, it } from 'vitest';
import { PlatformError } from '@mooring/errors';
import { inArmPaths, nameProblems } from './refusal.ts';

describe('a refusal of the registry', () => {
  it('speaks of the fields of the body', () => {
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
