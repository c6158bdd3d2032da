import { readConfig } from '@mooring/config';
import { natsModule } from '@mooring/messaging';
import { defineModule, type Lifecycle, type Module } from '@mooring/runtime';
import { z } from 'zod';
import { metrics, registry } from './metrics.ts';
import { KeptRequests } from './requests/kept-requests.ts';
import { startTracing, type Tracing } from './tracing.ts';

/** Where management asks every process for its metrics. */
export const metricsSubject = 'mooring.metrics.collect';

/** Where management asks every process for the requests of an id, which is the payload. */
export const requestsSubject = 'mooring.requests.find';

/** Where whoever gives way to online requests asks every process how much of them it has. */
export const loadSubject = 'mooring.load.ask';

/** What one process answers at `loadSubject`. */
export interface ProcessLoad {
  process: string;
  /** That all online requests took which it has answered since it started; what it gains in a second is how many it has at once. */
  requestSeconds: number;
}

/** What one process answers at `metricsSubject`. */
export interface ProcessMetrics {
  /** Tells processes apart, e.g. `edge-1234`. */
  process: string;
  /** Prometheus text format. */
  text: string;
}

export interface Telemetry extends Lifecycle {
  tracing: Tracing;
  requests: KeptRequests;
}

const keptMax = 100_000;

/** Settings of the requests that can be explained: `MOORING_REQUESTS_*`. */
const requestsConfig = z.object({
  /** The last requests that went well. */
  kept: z.coerce.number().int().min(1).max(keptMax).default(2_000),
  /** The last requests that failed. */
  failedKept: z.coerce.number().int().min(1).max(keptMax).default(2_000),
});

/**
 * Tracing for the process, the last requests that it answered, and its answers when management asks for metrics and
 * requests, and workers for its load. Settings: OTEL_*, MOORING_PROCESS_NAME, MOORING_REQUESTS_*.
 */
export const telemetryModule: Module<Telemetry> = defineModule({
  name: 'telemetry',
  needs: { nats: natsModule },
  create: async ({ nats }, { environment }) => {
    const name = environment['MOORING_PROCESS_NAME'] ?? 'mooring';
    const tracing = await startTracing(name, environment);
    const requests = new KeptRequests(readConfig('REQUESTS', requestsConfig, environment));
    const ownName = `${name}-${process.pid}`;
    const stopAnswering = nats.nats.respond(metricsSubject, async () => {
      const answer: ProcessMetrics = { process: ownName, text: await registry.metrics() };
      return JSON.stringify(answer);
    });
    const stopFinding = nats.nats.respond(requestsSubject, (id) => JSON.stringify(requests.find(id, ownName)));
    const stopTelling = nats.nats.respond(loadSubject, () => {
      // Requests for jobs run no model: whoever sends many must not hold up the jobs that they make.
      const requestSeconds = metrics.requestDuration.total(({ protocol }) => protocol !== 'batch');
      const answer: ProcessLoad = { process: ownName, requestSeconds };
      return JSON.stringify(answer);
    });
    return {
      tracing,
      requests,
      stop: async () => {
        stopAnswering();
        stopFinding();
        stopTelling();
        await tracing.shutdown();
      },
    };
  },
});
