import { readConfig, serviceAddress } from '@mooring/config';
import { defineModule, type Module } from '@mooring/runtime';
import { openScoringStream } from '@mooring/scoring-stream';
import { gatewayConfig } from '../config.ts';
import type { ScoringEdge } from '../ports.ts';
import { SucceedingStream } from './succeeding-stream.ts';

/** The router of another process, over the multiplexed stream: MOORING_GATEWAY_ROUTER, else where the router itself listens. */
export const remoteRouterModule: Module<ScoringEdge> = defineModule({
  name: 'router-edge',
  needs: {},
  create: (_needs, { environment, log }) => {
    const { router } = readConfig('GATEWAY', gatewayConfig, environment);
    const address = router ?? serviceAddress('router', environment);
    const stream = new SucceedingStream(() => openScoringStream({ address, log }));
    return { port: stream, ready: () => stream.ready(), stop: (signal: AbortSignal) => stream.close(signal) };
  },
});
