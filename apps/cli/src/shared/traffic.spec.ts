import type { FieldProblem } from '@mooring/errors';
import { describe, expect, it } from 'vitest';
import { mergedTraffic, parseShares, withoutZeros } from './traffic.ts';

describe('parseShares', () => {
  it.each<[string[], Record<string, number>]>([
    [['martina=90 luca=10'], { martina: 90, luca: 10 }],
    [['martina=90', 'luca=10'], { martina: 90, luca: 10 }],
    [['martina=90,luca=10'], { martina: 90, luca: 10 }],
    [['Martina=100%'], { martina: 100 }],
    [['a=0'], { a: 0 }],
    [['a=1 a=2'], { a: 2 }],
  ])('reads %j', (words, shares) => {
    const problems: FieldProblem[] = [];
    expect(parseShares(words, '--traffic', 100, problems)).toEqual(shares);
    expect(problems).toEqual([]);
  });

  it.each([
    [['']],
    [[' , ']],
    [['a']],
    [['a=']],
    [['=1']],
    [['a=101']],
    [['a=-1']],
    [['a=1.5']],
    [['a=1e1']],
    [['a==1']],
  ])('refuses %j', (words) => {
    const problems: FieldProblem[] = [];
    parseShares(words, '--traffic', 100, problems);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ path: '--traffic' });
  });
});

describe('mergedTraffic', () => {
  it('changes shares by name and leaves out zeros', () => {
    expect(mergedTraffic({ martina: 100 }, { martina: 90, luca: 10 })).toEqual({ martina: 90, luca: 10 });
    expect(mergedTraffic({ martina: 90, luca: 10 }, { martina: 0, luca: 100 })).toEqual({ luca: 100 });
    expect(mergedTraffic({ martina: 100 }, { martina: 0 })).toEqual({});
  });

  it('refuses a sum that is neither 0 nor 100, and shows what it would be', () => {
    expect(() => mergedTraffic({ martina: 90, luca: 10 }, { luca: 20 })).toThrow(/would sum to 110/);
    expect(withoutZeros({ a: 0, b: 1 })).toEqual({ b: 1 });
  });
});
