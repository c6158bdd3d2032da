import { boundary, errorCodes, PlatformError } from '@mooring/errors';
import { describe, expect, it } from 'vitest';
import { reportError } from './report-error.ts';

function report(thrown: unknown, options: { debug?: boolean; nextStep?: string; command?: string } = {}) {
  let err = '';
  const io = { out: () => undefined, err: (text: string) => void (err += text), isTty: false, columns: 80 };
  const { debug = false, nextStep, command = 'online-endpoint show' } = options;
  const code = reportError(thrown, { ...io, stdin: async () => Buffer.alloc(0) }, { debug, nextStep, command });
  return { code, err };
}

describe('reportError', () => {
  it.each(errorCodes)('exits for %s as the error table says, and names a next step', (code) => {
    const reported = report(new PlatformError(code, 'REASON', 'what happened'));
    expect(reported.code).toBe(boundary(code).exit);
    expect(reported.err).toMatch(/^REASON: what happened\nNext: \S.*\n$/);
  });

  it('writes each problem on its line, with what would be right', () => {
    const problems = [
      { path: 'name', problem: 'is missing', expected: 'a name' },
      { path: 'tgas', problem: 'is not a field' },
    ];
    const listed = '\n  name: is missing (expected a name)\n  tgas: is not a field\n';
    const error = new PlatformError('invalid_argument', 'R', 'cars.yml has 2 problems', { problems });
    expect(report(error).err).toContain(`R: cars.yml has 2 problems${listed}`);
    // A message that lists them itself does not say them twice.
    expect(report(PlatformError.invalid('cars.yml', problems)).err).toContain(
      `VALIDATION_FAILED: cars.yml has 2 problems${listed}`,
    );
  });

  it.each<[unknown, number, RegExp]>([
    [new Error('boom'), 1, /^UNEXPECTED: .*\nNext: .*--debug/],
    ['text', 1, /^UNEXPECTED/],
    [undefined, 1, /^UNEXPECTED/],
    [null, 1, /^UNEXPECTED/],
    [Object.assign(new Error('x'), { name: 'AbortError' }), 130, /^CANCELLED/],
    [Object.assign(new Error('MOORING_URL: bad'), { name: 'ConfigError' }), 2, /^BAD_SETTINGS: MOORING_URL: bad/],
    [
      Object.assign(new Error("EACCES: permission denied, open '/x'"), { syscall: 'open', path: '/x' }),
      2,
      /^FILE_ERROR: EACCES/,
    ],
  ])('reports %s, whatever it is', (thrown, code, says) => {
    const reported = report(thrown);
    expect(reported.code).toBe(code);
    expect(reported.err).toMatch(says);
    expect(reported.err).not.toMatch(/boom|\n\s+at /);
  });

  it('shows where an error came from with --debug only', () => {
    const thrown = new PlatformError('internal', 'UNEXPECTED', 'x', { cause: new Error('the cause') });
    expect(report(thrown).err).not.toContain('the cause');
    expect(report(thrown, { debug: true }).err).toMatch(/caused by Error: the cause\n\s+at /);
  });

  it('says a message whole that is the problem itself', () => {
    const problems = [{ path: '/x', problem: 'there is no such file' }];
    const error = new PlatformError('not_found', 'FILE_NOT_FOUND', 'cannot read /x: there is no such file', {
      problems,
    });
    expect(report(error).err).toContain('FILE_NOT_FOUND: cannot read /x: there is no such file\n');
  });

  it.each([
    ['batch-endpoint show', 'ENDPOINT_NOT_FOUND', 'batch-endpoint list'],
    ['online-endpoint show', 'ENDPOINT_NOT_FOUND', 'online-endpoint list'],
    ['batch-endpoint invoke', 'DEPLOYMENT_NOT_FOUND', 'batch-deployment list -e <endpoint>'],
    ['component create', 'ENVIRONMENT_NOT_FOUND', 'environment list'],
    ['job show', 'JOB_NOT_FOUND', 'job list'],
    ['request explain', 'REQUEST_NOT_KEPT', 'request --help'],
  ])('tells who runs %s and meets %s to look at %s', (command, reason, list) => {
    expect(report(new PlatformError('not_found', reason, 'x'), { command }).err).toContain(`tools/mooring ${list}\n`);
  });

  it('says when to come back, where the server said it', () => {
    const error = new PlatformError('resource_exhausted', 'QUEUE_FULL', 'full', { retryAfterMs: 2100 });
    expect(report(error).err).toContain('Next: try again in 3 s');
  });

  it('prefers the next step of the command', () => {
    expect(report(new PlatformError('not_found', 'X', 'x'), { nextStep: 'look there' }).err).toContain(
      'Next: look there',
    );
  });

  it('lets nothing of a message move the cursor', () => {
    const error = new PlatformError('internal', 'R', 'a\x1b[2Jb\rc', { problems: [{ path: '\x07', problem: '\x9b' }] });
    expect(report(error).err).toMatch(/^[^\p{Cc}]*(\n[^\p{Cc}]*)*$/u);
  });
});
