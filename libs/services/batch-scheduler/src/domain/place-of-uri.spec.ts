import { describe, expect, it } from 'vitest';
import { placeOfUri, withoutQuery } from './place-of-uri.ts';

describe('an address', () => {
  it.each([
    ['https://h/a.csv?sv=1&sig=2#x', 'https://h/a.csv?...'],
    ['HTTP://h/a.csv?', 'HTTP://h/a.csv?...'],
    ['https://h/a.csv#sig?x', 'https://h/a.csv'],
    ['https://h/a.csv', 'https://h/a.csv'],
    ['azureml://datastores/d/paths/what?', 'azureml://datastores/d/paths/what?'],
  ])('of the web is kept without its query: %s', (uri, kept) => {
    expect(withoutQuery(uri)).toBe(kept);
    expect(withoutQuery(kept)).toBe(kept);
  });

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
