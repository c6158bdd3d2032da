import { describe, expect, it } from 'vitest';
import { PlatformError } from '@mooring/errors';
import { armError, errorHeaders } from './arm-error.ts';

describe('an error in ARM’s envelope', () => {
  it('names each field in its details, and carries our own error for our clients', () => {
    const error = PlatformError.invalid('x', [{ path: 'properties.a', problem: 'is missing', expected: 'text' }]);
    expect(armError(error, 'r1')).toEqual({
      error: {
        code: 'BadArgument',
        message: 'x: properties.a: is missing (expected text)',
        target: 'properties.a',
        details: [{ code: 'FieldProblem', message: 'is missing (expected text)', target: 'properties.a' }],
        additionalInfo: [
          {
            type: 'MooringError',
            info: {
              code: 'invalid_argument',
              reason: 'VALIDATION_FAILED',
              requestId: 'r1',
              problems: [{ path: 'properties.a', problem: 'is missing', expected: 'text' }],
            },
          },
        ],
      },
    });
  });

  it('uses Azure’s word where there is one', () => {
    const codeOf = (reason: string): unknown =>
      (armError(new PlatformError('not_found', reason, 'm'), 'r')['error'] as { code: string }).code;
    expect(codeOf('ENDPOINT_NOT_FOUND')).toBe('ResourceNotFound');
    expect(codeOf('STALE_ETAG')).toBe('PreconditionFailed');
    expect(codeOf('REGISTRY_UNAVAILABLE')).toBe('RegistryUnavailable');
  });

  it('hides what nobody foresaw', () => {
    const error = PlatformError.from(new Error('password=hunter2'));
    expect(JSON.stringify(armError(error, 'r'))).not.toContain('hunter2');
  });

  it('says when to come again, at least a second on', () => {
    expect(errorHeaders(new PlatformError('unavailable', 'X', 'm', { retryAfterMs: 10 }))).toEqual({
      'retry-after': '1',
    });
    expect(errorHeaders(new PlatformError('unavailable', 'X', 'm'))).toEqual({ 'retry-after': '1' });
    expect(errorHeaders(new PlatformError('unavailable', 'X', 'm', { retryAfterMs: 2_100 }))).toEqual({
      'retry-after': '3',
    });
    expect(errorHeaders(new PlatformError('unauthenticated', 'X', 'm'))).toEqual({ 'www-authenticate': 'Bearer' });
    expect(errorHeaders(new PlatformError('not_found', 'X', 'm'))).toEqual({});
  });
});
