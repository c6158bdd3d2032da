import { natsModule } from '@mooring/messaging';
import { defineModule, type Lifecycle, type Module } from '@mooring/runtime';
import { registry } from './metrics.ts';
import { startTracing, type Tracing } from './tracing.ts';

/** Where management asks every process for its metrics. */
export const metricsSubject = 'mooring.metrics.collect';

/** What one process answers there. */
export interface ProcessMetrics {
  /** Tells processes apart, e.g. `edge-1234`. */
  process: string;
  /** Prometheus text format. */
  text: string;
}

export interface Telemetry extends Lifecycle {
  tracing: Tracing;
}

/** Tracing for the process, and its answer when management collects metrics. Settings: OTEL_*, MOORING_PROCESS_NAME. */
export const telemetryModule: Module<Telemetry> = defineModule({
  name: 'telemetry',
  needs: { nats: natsModule },
  create: async ({ nats }, { environment }) => {
    const name = environment['MOORING_PROCESS_NAME'] ?? 'mooring';
    const tracing = await startTracing(name, environment);
    const stopAnswering = nats.nats.respond(metricsSubject, async () => {
      const answer: ProcessMetrics = { process: `${name}-${process.pid}`, text: await registry.metrics() };
      return JSON.stringify(answer);
    });
    return {
      tracing,
      stop: async () => {
        stopAnswering();
        await tracing.shutdown();
      },
    };
  },
});
