import { describe, expect, it } from 'vitest';
import { readGuard } from './if-match.ts';

describe('the condition of a write', () => {
  it.each([
    [{}, ''],
    [{ 'if-match': '*' }, '*'],
    [{ 'if-match': '"17"' }, '17'],
    [{ 'if-match': 'W/"17"' }, '17'],
    [{ 'if-match': '17' }, '17'],
    [{ 'if-none-match': '*' }, '0'],
  ])('%j is read', (headers, guard) => {
    expect(readGuard(headers)).toBe(guard);
  });

  it('never takes an etag of 0 for the wish that there be none', () => {
    expect(readGuard({ 'if-match': '"0"' })).not.toBe('0');
  });

  it.each([
    { 'if-match': '"a"' },
    { 'if-match': '"1", "2"' },
    { 'if-match': `"${'1'.repeat(40)}"` },
    { 'if-none-match': '"1"' },
    { 'if-none-match': '*', 'if-match': '"1"' },
  ])('%j is refused', (headers) => {
    expect(() => readGuard(headers)).toThrow(/headers/);
  });
});
