import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BatchServiceClient } from '@mooring/contracts/batch';
import { HealthClient } from '@mooring/contracts/health';
import { createClient } from '@mooring/rpc';
import { createBatchScheduler } from './service.ts';

const folder = mkdtempSync(join(tmpdir(), 'batch-'));
const address = `unix:${join(folder, 'batch-scheduler.sock')}`;
const scheduler = createBatchScheduler({ address }, pino({ enabled: false }));

beforeAll(() => scheduler.start?.());
afterAll(async () => {
  await scheduler.stop?.(AbortSignal.timeout(2_000), 'asked');
  rmSync(folder, { recursive: true, force: true });
});

describe('the batch scheduler', () => {
  it('is healthy', async () => {
    const client = createClient(HealthClient, address);
    expect((await client.call('check', { service: '' })).status).toBe(1);
    client.close();
  });

  it('refuses jobs and says what to do instead', async () => {
    const client = createClient(BatchServiceClient, address);
    await expect(
      client.call('submitJob', {
        endpoint: 'night',
        jobJson: '{}',
        deployment: '',
        idempotencyKey: '',
        principal: 'somebody',
      }),
    ).rejects.toMatchObject({
      code: 'unimplemented',
      reason: 'BATCH_NOT_AVAILABLE',
      message: expect.stringContaining("'night'") as string,
    });
    client.close();
  });
});
