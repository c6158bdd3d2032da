import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { eventually, startTestNats } from './index.ts';

it('keeps what was stored over a crash of the server', async () => {
  const test = await startTestNats();
  try {
    const nats = await test.connect();
    const bucket = await nats.bucket<{ n: number }>('mooring_spec');
    const revision = await bucket.create('k', { n: 1 });
    const before = test.pid();
    await test.kill();
    await expect(bucket.get('k')).rejects.toMatchObject({ code: 'unavailable' });
    await test.resume();
    expect(test.pid()).not.toBe(before);
    const entry = await eventually(() => bucket.get('k'), { timeoutMs: 10_000 });
    expect(entry).toMatchObject({ value: { n: 1 }, revision });
  } finally {
    await test.stop();
  }
  expect(existsSync(test.storeDir)).toBe(false);
});
