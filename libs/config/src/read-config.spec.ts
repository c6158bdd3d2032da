import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError, readConfig } from './index.ts';

const schema = z.object({
  requestTimeoutMs: z.coerce.number().int().positive().default(5000),
});

describe('readConfig', () => {
  it('reads MOORING_<PREFIX>_<KEY> and fills in defaults', () => {
    expect(readConfig('ROUTER', schema, { MOORING_ROUTER_REQUEST_TIMEOUT_MS: '70' })).toEqual({ requestTimeoutMs: 70 });
  });

  it('lets a flag win over the environment', () => {
    const config = readConfig('ROUTER', schema, { MOORING_ROUTER_REQUEST_TIMEOUT_MS: '70' }, { requestTimeoutMs: 9 });
    expect(config.requestTimeoutMs).toBe(9);
  });

  it('reads MOORING_<KEY> under the empty prefix', () => {
    expect(readConfig('', z.object({ data: z.string() }), { MOORING_DATA: '/d' })).toEqual({ data: '/d' });
  });

  it('names every wrong variable at once', () => {
    const two = z.object({ a: z.coerce.number(), b: z.coerce.number() });
    expect(() => readConfig('X', two, { MOORING_X_A: 'one', MOORING_X_B: 'two' })).toThrow(
      /MOORING_X_A[\s\S]*MOORING_X_B/,
    );
    expect(() => readConfig('X', two, {})).toThrow(ConfigError);
  });
});
