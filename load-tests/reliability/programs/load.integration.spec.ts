import { expect, it } from 'vitest';
import { measureLargeBodies } from './large-bodies.ts';
import { isFlat, soak } from './soak.ts';

const testMs = 180_000;
const within = (): AbortSignal => AbortSignal.timeout(testMs - 10_000);

/* Few runs each, with bounds that hold on a busy machine; the programs themselves have the exact ones. */

it('large bodies beside small requests lose none of them', { timeout: testMs }, async () => {
  for (const { besideP99Ms, failed, bodies } of await measureLargeBodies(1, within())) {
    expect([failed, bodies > 0]).toEqual([0, true]);
    expect(besideP99Ms).toBeLessThan(2_000);
  }
});

it('a mixed load is answered as it should be, and no process is replaced', { timeout: testMs }, async () => {
  const { processes, requests, wrong } = await soak(0.1, within());
  expect(wrong).toEqual([]);
  expect(requests).toBeGreaterThan(500);
  expect(processes.some(({ restarted }) => restarted)).toBe(false);
  expect(processes.every(({ descriptors }) => isFlat(descriptors, 50_000))).toBe(true);
});
