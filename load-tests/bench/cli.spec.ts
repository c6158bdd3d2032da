import { describe, expect, it } from 'vitest';
import { parseOptions, UsageError, type Options } from './cli.ts';

const options = (...args: string[]): Options => {
  const parsed = parseOptions(args);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
};

describe('parseOptions', () => {
  it('measures the closed workloads of all systems three times by default', () => {
    const { only, systems, repeats, seconds, concurrency } = options();
    expect(only).toContain('iris-rest');
    expect(only).not.toContain('overload');
    expect({ systems, repeats, seconds, concurrency }).toEqual({
      systems: undefined,
      repeats: 3,
      seconds: 2,
      concurrency: undefined,
    });
  });

  it('takes lists, each name once', () => {
    const parsed = options(
      '--only',
      'iris-rest, iris-grpc,iris-rest',
      '--systems',
      'mooring',
      '--concurrency',
      '1,8,32',
    );
    expect(parsed.only).toEqual(['iris-rest', 'iris-grpc']);
    expect(parsed.systems).toEqual(['mooring']);
    expect(parsed.concurrency).toEqual([1, 8, 32]);
  });

  it('knows all workloads by one word', () => expect(options('--only', 'all').only).toContain('overload'));

  it.each([
    ['help', ['-h']],
    ['list', ['--list', '--only', 'x']],
  ])('answers %s before it reads anything else', (wanted, args) => expect(parseOptions(args)).toBe(wanted));

  it.each([
    [['--only', 'nothing'], /--only: there is no 'nothing'; there are .*iris-rest/],
    [['--systems', ''], /--systems/],
    [['--install', 'triton'], /--install.*mlserver/],
    [['--repeats', '0'], /--repeats/],
    [['--repeats', '1.5'], /whole/],
    [['--seconds', 'x'], /--seconds/],
    [['--seconds', ''], /--seconds/],
    [['--concurrency', '1,,8'], /--concurrency/],
    [['--concurrency', '1e9'], /--concurrency/],
    [['--points', '-1'], /--points/],
    [['--others-max', 'few'], /--others-max/],
    [['--unknown'], /unknown/i],
    [['stray'], /stray/],
  ])('refuses %j and says why', (args, why) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
    expect(() => parseOptions(args)).toThrow(why);
  });
});
