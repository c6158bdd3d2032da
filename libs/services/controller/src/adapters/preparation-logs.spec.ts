import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { tempDir, type TempDir } from '@mooring/testing';
import type { PreparationLog } from '../ports.ts';
import { createPreparationLogs } from './preparation-logs.ts';

let folder: TempDir;
let log: PreparationLog;

beforeEach(() => {
  folder = tempDir();
  log = createPreparationLogs(join(folder.path, 'logs'));
});
afterEach(() => folder.remove());

it('keeps the lines of each deployment apart, whatever the case of its name', () => {
  log.write('Cars', 'luca', 'preparing model');
  log.write('cars', 'Luca', 'preparing environment');
  log.write('cars', 'martina', 'preparing model');
  expect(log.tail('cars', 'luca', 10)).toMatch(/^\S+Z preparing model\n\S+Z preparing environment\n$/);
  expect(log.tail('cars', 'luca', 1)).toMatch(/^\S+Z preparing environment\n$/);
  expect(log.tail('cars', 'nobody', 10)).toBe('');
});

it('stays within bounds, also with endless lines', () => {
  for (let i = 0; i < 1_200; i++) log.write('cars', 'luca', `${i} ${'x'.repeat(10_000)}`);
  const files = readdirSync(join(folder.path, 'logs'));
  const bytes = files.map((file) => statSync(join(folder.path, 'logs', file)).size);
  expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(3 * 2 ** 20);
  expect(log.tail('cars', 'luca', 1)).toContain(' 1199 ');
});

it('forgets a deployment that is gone', () => {
  log.write('cars', 'luca', 'preparing model');
  log.forget('cars', 'luca');
  log.forget('cars', 'luca');
  expect(readdirSync(join(folder.path, 'logs'))).toEqual([]);
});

it('a line that cannot be written fails nothing', () => {
  const nowhere = createPreparationLogs('/dev/null/logs');
  expect(() => nowhere.write('cars', 'luca', 'preparing model')).not.toThrow();
  expect(nowhere.tail('cars', 'luca', 10)).toBe('');
});
