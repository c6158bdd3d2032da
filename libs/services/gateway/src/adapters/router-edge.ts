import { join } from 'node:path';
import { dataFolder, defaultDataFolder, readConfig } from '@mooring/config';
import { defineModule, type Module } from '@mooring/runtime';
import { openScoringStream } from '@mooring/scoring-stream';
import { z } from 'zod';
import { gatewayConfig } from '../config.ts';
import type { ScoringEdge } from '../ports.ts';
import { SucceedingStream } from './succeeding-stream.ts';

const sharedConfig = z.object({ data: z.string().default(defaultDataFolder) });

/** The router of another process, over the multiplexed stream: MOORING_GATEWAY_ROUTER, else `<run folder>/router.sock`. */
export const remoteRouterModule: Module<ScoringEdge> = defineModule({
  name: 'router-edge',
  needs: {},
  create: (_needs, { environment, log }) => {
    const { router } = readConfig('GATEWAY', gatewayConfig, environment);
    const { data } = readConfig('', sharedConfig, environment);
    const address = router ?? `unix:${join(dataFolder(data).run, 'router.sock')}`;
    const stream = new SucceedingStream(() => openScoringStream({ address, log }));
    return { port: stream, ready: () => stream.ready(), stop: (signal: AbortSignal) => stream.close(signal) };
  },
});
