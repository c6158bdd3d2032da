import { describe, expect, it } from 'vitest';
import { placeOfUri } from './place-of-uri.ts';

describe('an address', () => {
  it.each([
    '../paths/x',
    '.seals/paths/x',
    'UPPER/paths/x',
    'a b/paths/x',
    'photos/paths/../x',
    'photos/paths/a/./b',
    'photos/paths/a\\b',
    'photos/paths/a\0b',
  ])('cannot lead out of its container: %j', (place) => {
    expect(() => placeOfUri(`azureml://datastores/${place}`)).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
  });
});
