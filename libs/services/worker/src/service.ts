import type { Logger } from 'pino';
import { startGrpcServer, type GrpcServer } from '@mooring/rpc';
import type { Lifecycle } from '@mooring/runtime';
import type { WorkerConfig } from './config.ts';

/** Health and reflection only: it subscribes to no queue, so no mini-batch can be lost in it. */
export function createWorker(config: WorkerConfig, log: Logger): Lifecycle {
  let server: GrpcServer | undefined;
  return {
    start: async () => {
      server = await startGrpcServer({ ...config, services: [], log, ready: () => true });
    },
    ready: () => server !== undefined,
    stop: async (signal) => server?.stop(signal),
  };
}
