import { describe, expect, it } from 'vitest';
import { pino } from 'pino';
import { create__Pascal__Service } from './service.ts';

describe('the __name__ service', () => {
  it('is ready once it listens, and stops within its deadline', async () => {
    const service = create__Pascal__Service({ address: '127.0.0.1:0' }, pino({ enabled: false }));
    expect(service.ready?.()).toBe(false);
    await service.start?.();
    expect(service.ready?.()).toBe(true);
    await service.stop?.(AbortSignal.timeout(1_000), 'asked');
  });
});
