import { pino } from 'pino';
import { expect, it } from 'vitest';
import type { MirrorReportRecord } from '@mooring/domain';
import { Directory } from './domain/directory.ts';
import { MirrorTally } from './domain/mirror-tally.ts';
import { flushMirrorReports } from './mirror-flush.ts';
import { routing } from './testing/fake-instance.ts';

function flusher() {
  const tally = new MirrorTally('cars', 'luca', new Date(0));
  const directory = new Directory(() => {
    throw new Error('no instance in this spec');
  });
  directory.applyRouting('cars', routing(), 1);
  const stored: MirrorReportRecord[] = [];
  const removed: string[] = [];
  const store = { broken: false };
  const reports = {
    put: async (report: MirrorReportRecord) => {
      if (store.broken) throw new Error('the store is gone');
      stored.push(report);
    },
    remove: async (endpoint: string, deployment: string) => void removed.push(`${endpoint}/${deployment}`),
  };
  const tallies = new Map([['cars/luca', tally]]);
  const written = new Map<string, number>();
  const deps = { tallies, directory, reports, routerId: 'r', log: pino({ enabled: false }) };
  return { tally, tallies, directory, stored, removed, store, flush: () => flushMirrorReports(deps, written) };
}

it('writes a report only when it changed', async () => {
  const { tally, stored, flush } = flusher();
  tally.noteSent();
  await flush();
  await flush();
  expect(stored).toMatchObject([{ endpoint: 'cars', deployment: 'luca', routerId: 'r', sent: 1 }]);
});

it('writes what the store missed as soon as it is back', async () => {
  const { tally, stored, store, flush } = flusher();
  store.broken = true;
  tally.noteSent();
  await flush();
  tally.noteSent();
  await flush();
  expect(stored).toEqual([]);
  store.broken = false;
  await flush();
  expect(stored).toMatchObject([{ sent: 2 }]);
});

it('removes the report of a deployment that is gone', async () => {
  const { tally, tallies, directory, removed, flush } = flusher();
  tally.noteSent();
  directory.applyRouting('cars', routing({ names: ['martina'] }), 2);
  await flush();
  expect(removed).toEqual(['cars/luca']);
  expect(tallies.size).toBe(0);
});

it('gives percentiles of the latency difference over the most recent comparisons', () => {
  const tally = new MirrorTally('cars', 'luca', new Date(0));
  const equal = { result: 'equal', where: '' } as const;
  for (let i = 0; i < 500; i += 1) tally.noteCompared(equal, 'old', new Date(0), 9_999);
  for (let i = 1; i <= 1_024; i += 1) tally.noteCompared(equal, 'new', new Date(0), i - 24);
  expect(tally.report('r', new Date(0)).latencyDeltaMs).toEqual({ p50: 488, p90: 898, p99: 990, count: 1_524 });
});
