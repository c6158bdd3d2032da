import type { FastifyInstance } from 'fastify';
import { PlatformError } from '@mooring/errors';
import { mergeMetrics } from '../domain/merge-metrics.ts';
import { tritonMetricsOf } from '../domain/triton-metrics.ts';
import type { HttpServerDeps } from './server-deps.ts';

const prometheusText = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Health, and the metrics of all processes. Metrics are open as long as only this machine reaches the server; beyond
 * it they need the token, because they name endpoints and how they are used.
 */
export function registerOpenRoutes(app: FastifyInstance, { ports, ready, loopback }: HttpServerDeps): void {
  app.get('/healthz', { config: { open: 'everybody' } }, () => ({ status: 'ok' }));
  app.get('/readyz', { config: { open: 'everybody' } }, (_request, reply) =>
    ready()
      ? { status: 'ready' }
      : reply
          .code(503)
          .header('retry-after', '1')
          .send({ status: 'not ready', why: 'the state store is away, or it stops' }),
  );
  app.get('/metrics', { config: loopback ? { open: 'everybody' } : {} }, async ({ query }, reply) => {
    const { names } = query as { names?: unknown };
    if (names !== undefined && names !== 'triton') {
      const problem = { path: 'names', problem: 'is not a set of names', expected: 'triton, or nothing' };
      throw PlatformError.invalid('query', [problem]);
    }
    const page = mergeMetrics(await ports.state.metrics());
    return reply.type(prometheusText).send(names === 'triton' ? tritonMetricsOf(page) : page);
  });
}
