import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { HealthClient } from '@mooring/contracts/health';
import { createClient } from '@mooring/rpc';
import { createWorker } from './service.ts';

it('is healthy from its start to its stop', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'worker-'));
  const socket = join(folder, 'worker.sock');
  const worker = createWorker({ address: `unix:${socket}` }, pino({ enabled: false }));
  await worker.start?.();
  const client = createClient(HealthClient, `unix:${socket}`);
  expect((await client.call('check', { service: '' })).status).toBe(1);
  client.close();
  await worker.stop?.(AbortSignal.timeout(2_000), 'asked');
  expect(existsSync(socket)).toBe(false);
  rmSync(folder, { recursive: true, force: true });
});
