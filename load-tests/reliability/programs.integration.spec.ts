import { expect, it } from 'vitest';
import { disconnects, leaksOf } from './programs/disconnects.ts';
import { measureReach } from './programs/configuration.ts';
import { measureLargeBodies } from './programs/large-bodies.ts';
import { measureNeighbours } from './programs/neighbours.ts';
import { isFlat, soak } from './programs/soak.ts';
import { cyclesInline, cyclesOfDeployment } from './programs/unload.ts';

const signal = AbortSignal.timeout(300_000);

/* Few runs each, with bounds that hold on a busy machine; the programs themselves have the exact ones. */

it('a model that is loaded and unloaded beside another loses none of its requests', { timeout: 120_000 }, async () => {
  const [figures] = await measureNeighbours({ kinds: ['process'], rounds: 1 }, signal);
  expect(figures?.failed).toBe(0);
  expect(figures?.ratio).toBeLessThan(20);
});

it('large bodies beside small requests lose none of them', { timeout: 120_000 }, async () => {
  for (const { besideP99Ms, failed, bodies } of await measureLargeBodies(1, signal)) {
    expect([failed, bodies > 0]).toEqual([0, true]);
    expect(besideP99Ms).toBeLessThan(2_000);
  }
});

it('a change among many endpoints reaches every data-plane process soon', { timeout: 120_000 }, async () => {
  const reached = await measureReach(60, 3, signal);
  expect(Math.max(...reached)).toBeLessThan(5_000);
});

it('memory comes back after models were unloaded', { timeout: 120_000 }, async () => {
  const { beforeMib, afterMib } = await cyclesInline(150, signal);
  expect(afterMib / beforeMib).toBeLessThan(1.3);
  for (const grown of await cyclesOfDeployment(3, signal)) {
    expect(grown.afterMib / grown.beforeMib, grown.what).toBeLessThan(1.5);
  }
});

it('callers who leave at any stage leave nothing behind', { timeout: 120_000 }, async () => {
  const figures = await disconnects(20, signal);
  expect(leaksOf(figures)).toEqual([]);
  for (const { wastedPercent, freedMs } of figures.sides) {
    expect(wastedPercent).toBeLessThan(100);
    expect(Math.max(...freedMs)).toBeLessThan(5_000);
  }
});

it('a mixed load is answered as it should be, and no process is replaced', { timeout: 120_000 }, async () => {
  const { processes, requests, wrong } = await soak(0.1, signal);
  expect(wrong).toEqual([]);
  expect(requests).toBeGreaterThan(500);
  expect(processes.some(({ restarted }) => restarted)).toBe(false);
  expect(processes.every(({ descriptors }) => isFlat(descriptors, 50_000))).toBe(true);
});
