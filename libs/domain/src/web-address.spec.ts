import { expect, it } from 'vitest';
import { withoutQuery } from './web-address.ts';

it.each([
  ['https://h/a.csv?sv=1&sig=2#x', 'https://h/a.csv?...'],
  ['HTTP://h/a.csv?', 'HTTP://h/a.csv?...'],
  ['https://h/a.csv#sig?x', 'https://h/a.csv'],
  ['https://h/a.csv', 'https://h/a.csv'],
  ['azureml://datastores/d/paths/what?', 'azureml://datastores/d/paths/what?'],
])('an address of the web is kept without its query: %s', (uri, kept) => {
  expect(withoutQuery(uri)).toBe(kept);
  expect(withoutQuery(kept)).toBe(kept);
});
