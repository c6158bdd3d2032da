import { expect, it } from 'vitest';
import { disconnects, leaksOf } from './programs/disconnects.ts';
import { measureReach } from './programs/configuration.ts';
import { measureLargeBodies } from './programs/large-bodies.ts';
import { measureNeighbours } from './programs/neighbours.ts';
import { isFlat, soak } from './programs/soak.ts';
import { cyclesInline, cyclesOfDeployment } from './programs/unload.ts';

const testMs = 180_000;
const within = (): AbortSignal => AbortSignal.timeout(testMs - 10_000);

/* Few runs each, with bounds that hold on a busy machine; the programs themselves have the exact ones. */

it('a model that is loaded and unloaded beside another loses none of its requests', { timeout: testMs }, async () => {
  const [figures] = await measureNeighbours({ kinds: ['process'], rounds: 1 }, within());
  expect(figures?.failed).toBe(0);
  expect(figures?.ratio).toBeLessThan(20);
});

it('large bodies beside small requests lose none of them', { timeout: testMs }, async () => {
  for (const { besideP99Ms, failed, bodies } of await measureLargeBodies(1, within())) {
    expect([failed, bodies > 0]).toEqual([0, true]);
    expect(besideP99Ms).toBeLessThan(2_000);
  }
});

it('a change among many endpoints reaches every data-plane process soon', { timeout: testMs }, async () => {
  const reached = await measureReach(60, 3, within());
  expect(Math.max(...reached)).toBeLessThan(5_000);
});

it('memory comes back after models were unloaded', { timeout: testMs }, async () => {
  const { beforeMib, afterMib } = await cyclesInline(150, within());
  expect(afterMib / beforeMib).toBeLessThan(1.3);
  for (const grown of await cyclesOfDeployment(3, within())) {
    expect(grown.afterMib / grown.beforeMib, grown.what).toBeLessThan(1.5);
  }
});

it('callers who leave at any stage leave nothing behind', { timeout: testMs }, async () => {
  const figures = await disconnects(20, within());
  expect(leaksOf(figures)).toEqual([]);
  for (const { wastedPercent, freedMs } of figures.sides) {
    expect(wastedPercent).toBeLessThan(100);
    expect(Math.max(...freedMs)).toBeLessThan(5_000);
  }
});

it('a mixed load is answered as it should be, and no process is replaced', { timeout: testMs }, async () => {
  const { processes, requests, wrong } = await soak(0.1, within());
  expect(wrong).toEqual([]);
  expect(requests).toBeGreaterThan(500);
  expect(processes.some(({ restarted }) => restarted)).toBe(false);
  expect(processes.every(({ descriptors }) => isFlat(descriptors, 50_000))).toBe(true);
});
