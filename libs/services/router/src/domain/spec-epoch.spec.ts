import { expect, it } from 'vitest';
import { SpecEpoch } from './spec-epoch.ts';

it('begins with instances of another spec, and again when those of the old one are gone', () => {
  const specs = new SpecEpoch();
  specs.note('a', 'old');
  const first = specs.value;
  specs.note('b', 'old');
  expect(specs.value).toBe(first);
  specs.note('c', 'new');
  const mixed = specs.value;
  expect(mixed).toBeGreaterThan(first);
  specs.note('a', undefined);
  expect(specs.value).toBe(mixed);
  specs.note('b', undefined);
  expect(specs.value).toBeGreaterThan(mixed);
});

it('goes on when all instances crashed and others of the same spec come', () => {
  const specs = new SpecEpoch();
  specs.note('a', 'old');
  const before = specs.value;
  specs.note('a', undefined);
  specs.note('b', 'old');
  expect(specs.value).toBe(before);
  specs.note('b', undefined);
  specs.note('c', 'new');
  expect(specs.value).toBeGreaterThan(before);
});
