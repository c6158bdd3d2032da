import { expect, it } from 'vitest';
import { disconnects, leaksOf } from './disconnects.ts';
import { cyclesInline, cyclesOfDeployment } from './unload.ts';

const testMs = 180_000;
const within = (): AbortSignal => AbortSignal.timeout(testMs - 10_000);

/* Few runs each, with bounds that hold on a busy machine; the programs themselves have the exact ones. */

it('memory comes back after models were unloaded', { timeout: testMs }, async () => {
  const { beforeMib, afterMib } = await cyclesInline(100, within());
  expect(afterMib / beforeMib).toBeLessThan(1.3);
  for (const grown of await cyclesOfDeployment(3, within())) {
    expect(grown.afterMib / grown.beforeMib, grown.what).toBeLessThan(1.5);
  }
});

it('callers who leave at any stage leave nothing behind', { timeout: testMs }, async () => {
  const figures = await disconnects(10, within());
  expect(leaksOf(figures)).toEqual([]);
  for (const { wastedPercent, freedMs } of figures.sides) {
    expect(wastedPercent).toBeLessThan(100);
    expect(Math.max(...freedMs)).toBeLessThan(5_000);
  }
});
