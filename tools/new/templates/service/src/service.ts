import type { Logger } from 'pino';
import { startGrpcServer, type GrpcServer } from '@mooring/rpc';
import type { Lifecycle } from '@mooring/runtime';
import type { __Pascal__Config } from './config.ts';

/** Serves gRPC health and reflection; mount the service's handlers (one file per RPC in handlers/) in `services`. */
export function create__Pascal__Service(config: __Pascal__Config, log: Logger): Lifecycle {
  let server: GrpcServer | undefined;
  return {
    start: async () => {
      server = await startGrpcServer({ address: config.address, services: [], log, ready: () => true });
      log.info({ address: server.address }, '__name__ listens');
    },
    ready: () => server !== undefined,
    stop: async (signal) => server?.stop(signal),
  };
}
