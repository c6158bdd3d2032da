import { describe, expect, it } from 'vitest';
import { BatchSize } from './batch-size.ts';

describe('the size of a shared run', () => {
  it('leaves the other cores as many rows as it takes', () => {
    const size = new BatchSize(16, 2);
    expect(size.share(8, 0)).toBe(4);
    expect(size.share(4, 4)).toBe(4);
    expect(size.share(3, 4)).toBe(4);
    expect(size.share(100, 16)).toBe(16);
    expect(new BatchSize(16, 1).share(8, 0)).toBe(8);
  });

  it('is waited for as long as nobody knows better, and then only as far as rows come', () => {
    const size = new BatchSize(16, 2);
    expect(size.wanted()).toBe(16);
    for (let run = 0; run < 50; run++) size.share(1, 0);
    expect(size.wanted()).toBe(1);
    for (let run = 0; run < 50; run++) size.share(4, 4);
    expect(size.wanted()).toBe(4);
  });

  it('follows more callers at once', () => {
    const size = new BatchSize(16, 2);
    for (let run = 0; run < 50; run++) size.share(1, 0);
    size.share(20, 4);
    expect(size.wanted()).toBe(12);
    size.share(80, 16);
    expect(size.wanted()).toBe(16);
  });
});
