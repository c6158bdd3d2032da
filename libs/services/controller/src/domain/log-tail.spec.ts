import { describe, expect, it } from 'vitest';
import { mergeLogs } from './log-tail.ts';

const old = { header: '== old ==', lines: ['a', 'b', 'c'] };
const young = { header: '== young ==', lines: ['d', 'e'] };

describe('mergeLogs', () => {
  it('shows all when it fits, the newest instance last', () => {
    expect(mergeLogs([old, young], 10)).toBe('== old ==\na\nb\nc\n== young ==\nd\ne\n');
  });

  it('lets older instances give way', () => {
    expect(mergeLogs([old, young], 3)).toBe('== old ==\nc\n== young ==\nd\ne\n');
    expect(mergeLogs([old, young], 1)).toBe('== young ==\ne\n');
  });

  it('names an instance that wrote nothing yet', () => {
    expect(mergeLogs([{ header: '== new ==', lines: [] }], 5)).toBe('== new ==\n');
    expect(mergeLogs([], 5)).toBe('');
  });
});
