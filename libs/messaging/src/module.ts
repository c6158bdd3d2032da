import { z } from 'zod';
import { readConfig } from '@mooring/config';
import { defineModule, type Lifecycle, type Module } from '@mooring/runtime';
import { connectNats, type Nats } from './nats.ts';

const natsConfig = z.object({
  url: z.string().default('nats://127.0.0.1:4222'),
  user: z.string().optional(),
  password: z.string().optional(),
  /** When the server syncs its files: at each write, or now and then. It cannot be asked for it, so whoever runs it says so. */
  sync: z.enum(['always', 'interval']).default('interval'),
  deadlineMs: z.coerce.number().int().positive().default(3_000),
});

/** The process's connection to NATS. Settings: MOORING_NATS_URL, _USER, _PASSWORD, _SYNC, _DEADLINE_MS. */
export interface NatsConnectionHolder extends Lifecycle {
  nats: Nats;
  /** What is acknowledged is on disk. */
  syncsAlways: boolean;
}

export const natsModule: Module<NatsConnectionHolder> = defineModule({
  name: 'nats',
  needs: {},
  create: async (_needs, { environment, log }) => {
    const config = readConfig('NATS', natsConfig, environment);
    const nats = await connectNats({ ...config, name: `mooring-${process.pid}` }, log);
    return { nats, syncsAlways: config.sync === 'always', stop: () => nats.close() };
  },
});
