import { expect, it } from 'vitest';
import { measureBesideBatch } from './beside-batch.ts';
import { measureReach } from './configuration.ts';
import { measureNeighbours } from './neighbours.ts';

const testMs = 180_000;
const within = (): AbortSignal => AbortSignal.timeout(testMs - 10_000);

/* Few runs each, with bounds that hold on a busy machine; the programs themselves have the exact ones. */

it('a model that is loaded and unloaded beside another loses none of its requests', { timeout: testMs }, async () => {
  const [figures] = await measureNeighbours({ kinds: ['process'], rounds: 1 }, within());
  expect(figures?.failed).toBe(0);
  expect(figures?.ratio).toBeLessThan(20);
});

it('a batch job that takes all cores loses no online request', { timeout: testMs }, async () => {
  const [figures] = await measureBesideBatch({ rounds: 1, only: ['light'] }, within());
  expect(figures?.failed).toBe(0);
  expect(figures?.ratio).toBeLessThan(50);
});

it('a change among many endpoints reaches every data-plane process soon', { timeout: testMs }, async () => {
  const reached = await measureReach(60, 3, within());
  expect(Math.max(...reached)).toBeLessThan(5_000);
});
