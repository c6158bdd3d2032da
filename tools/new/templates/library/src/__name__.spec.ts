import { describe, expect, it } from 'vitest';
import { __camel__ } from './index.ts';

describe('__camel__', () => {
  it('takes white space off both ends', () => {
    expect(__camel__(' a ')).toBe('a');
  });
});
