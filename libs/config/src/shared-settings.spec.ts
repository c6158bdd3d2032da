import { expect, it } from 'vitest';
import { readDataFolder, readLogLevel, serviceAddress } from './index.ts';

it('finds the data folder by MOORING_DATA', () => {
  expect(readDataFolder({ MOORING_DATA: '/d' }).root).toBe('/d');
});

it("gives a service's socket in the run folder unless its own variable says otherwise", () => {
  expect(serviceAddress('batch-scheduler', { MOORING_DATA: '/d' })).toBe('unix:/d/run/batch-scheduler.sock');
  const moved = { MOORING_DATA: '/d', MOORING_BATCH_SCHEDULER_ADDRESS: '127.0.0.1:9' };
  expect(serviceAddress('batch-scheduler', moved)).toBe('127.0.0.1:9');
  expect(serviceAddress('auth', moved)).toBe('unix:/d/run/auth.sock');
});

it('takes the log level that is set, and the usual one when it is empty', () => {
  expect(readLogLevel({ MOORING_LOG_LEVEL: 'warn' })).toBe('warn');
  expect([readLogLevel({}), readLogLevel({ MOORING_LOG_LEVEL: '' })]).toEqual(['info', 'info']);
  expect(() => readLogLevel({ MOORING_LOG_LEVEL: 'loud' })).toThrow(
    "MOORING_LOG_LEVEL: there is no level 'loud'; there are: trace, debug, info, warn, error, fatal, silent",
  );
});
