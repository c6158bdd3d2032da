import { expect, it } from 'vitest';
import { readDataFolder, serviceAddress } from './index.ts';

it('finds the data folder by MOORING_DATA', () => {
  expect(readDataFolder({ MOORING_DATA: '/d' }).root).toBe('/d');
});

it("gives a service's socket in the run folder unless its own variable says otherwise", () => {
  expect(serviceAddress('batch-scheduler', { MOORING_DATA: '/d' })).toBe('unix:/d/run/batch-scheduler.sock');
  const moved = { MOORING_DATA: '/d', MOORING_BATCH_SCHEDULER_ADDRESS: '127.0.0.1:9' };
  expect(serviceAddress('batch-scheduler', moved)).toBe('127.0.0.1:9');
  expect(serviceAddress('auth', moved)).toBe('unix:/d/run/auth.sock');
});
