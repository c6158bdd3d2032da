import { describe, expect, it } from 'vitest';
import { boundary, codeFromGrpc, codeFromHttp, errorCodes, PlatformError } from './index.ts';

describe('the error table', () => {
  it.each(errorCodes)('gives %s a status at every edge', (code) => {
    const edge = boundary(code);
    expect(edge.grpc).toBeGreaterThan(0);
    expect(edge.grpc).toBeLessThanOrEqual(16);
    expect(edge.http).toBeGreaterThanOrEqual(400);
    expect(edge.http).toBeLessThan(600);
    expect(edge.exit).toBeGreaterThan(0);
  });

  it.each(errorCodes)('reads the gRPC status of %s back as a code with that status', (code) => {
    const back = codeFromGrpc(boundary(code).grpc);
    if (code !== 'model_failed') expect(boundary(back).grpc).toBe(boundary(code).grpc);
  });
});

describe('codeFromHttp', () => {
  it.each(errorCodes)('reads the HTTP status of %s back as a code with that status', (code) => {
    expect(boundary(codeFromHttp(boundary(code).http)).http).toBe(boundary(code).http);
  });

  it.each([
    [418, 'invalid_argument'],
    [502, 'unavailable'],
    [599, 'internal'],
  ] as const)('calls the unlisted %s %s', (status, code) => {
    expect(codeFromHttp(status)).toBe(code);
  });
});

describe('PlatformError.from', () => {
  it('keeps a platform error as it is', () => {
    const error = new PlatformError('not_found', 'ENDPOINT_NOT_FOUND', 'no endpoint');
    expect(PlatformError.from(error)).toBe(error);
  });

  it('hides the text of an unknown error and keeps it as the cause', () => {
    const secret = new Error('password=hunter2');
    const error = PlatformError.from(secret);
    expect(error.message).not.toContain('hunter2');
    expect(error.cause).toBe(secret);
    expect(error.httpStatus).toBe(500);
  });
});

describe('the time to try again', () => {
  it.each([
    ['resource_exhausted', undefined, 1_000],
    ['unavailable', 250, 250],
    ['scoring_timeout', undefined, 1_000],
    ['deadline_exceeded', undefined, 1_000],
    ['not_found', undefined, undefined],
    ['model_failed', undefined, undefined],
  ] as const)('told with %s, known %s, is %s', (code, retryAfterMs, told) => {
    const options = retryAfterMs === undefined ? {} : { retryAfterMs };
    expect(new PlatformError(code, 'REASON', 'message', options).retryAfterToldMs).toBe(told);
  });
});

describe('PlatformError.invalid', () => {
  it('lists every problem with its path and what would be right', () => {
    const error = PlatformError.invalid('endpoint.yml', [
      { path: 'name', problem: "'9x' is not a name", expected: '3 to 32 letters, digits and dashes' },
      { path: 'traffic', problem: 'sums to 90', expected: '0 or 100' },
    ]);
    expect(error.message).toContain('name:');
    expect(error.message).toContain('expected 0 or 100');
    expect(error.problems).toHaveLength(2);
  });
});
