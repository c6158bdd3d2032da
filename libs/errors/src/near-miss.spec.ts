import { describe, expect, it } from 'vitest';
import { didYouMean, nearMiss } from './index.ts';

const fields = ['name', 'traffic', 'mirror_traffic', 'auth_mode'];

describe('nearMiss', () => {
  it.each([
    ['trafic', 'traffic'],
    ['tarffic', 'traffic'],
    ['Auth-Mode', 'auth_mode'],
    ['nmae', 'name'],
  ])('takes %s for %s', (word, meant) => {
    expect(nearMiss(word, fields)).toBe(meant);
  });

  it.each(['x', 'completely_other', '', 'q'.repeat(100_000)])(
    'has no guess for a word that is near to nothing',
    (word) => {
      expect(nearMiss(word, fields)).toBeUndefined();
      expect(didYouMean(word, fields)).toBe('');
    },
  );
});
