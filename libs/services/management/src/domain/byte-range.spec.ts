import { describe, expect, it } from 'vitest';
import { readRange } from './byte-range.ts';

describe('a range of bytes', () => {
  it.each([
    ['bytes=0-9', { start: 0, end: 9 }],
    ['bytes=90-', { start: 90, end: 99 }],
    ['bytes=90-500', { start: 90, end: 99 }],
    ['bytes=-10', { start: 90, end: 99 }],
    ['bytes=-500', { start: 0, end: 99 }],
  ])('%s of 100 bytes is read', (header, range) => {
    expect(readRange(header, 100)).toEqual(range);
  });

  it.each([undefined, '', 'bytes=-', 'bytes=a-b', 'items=0-1', 'bytes=0-1,4-5'])('%s asks for everything', (header) => {
    expect(readRange(header, 100)).toBeUndefined();
  });

  it.each(['bytes=100-', 'bytes=9-3', 'bytes=-0'])('%s of 100 bytes cannot be answered', (header) => {
    expect(() => readRange(header, 100)).toThrow(/100 bytes/);
  });
});
