import type { FastifyInstance } from 'fastify';
import { mergeMetrics } from '../domain/merge-metrics.ts';
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
  app.get('/metrics', { config: loopback ? { open: 'everybody' } : {} }, async (_request, reply) =>
    reply.type(prometheusText).send(mergeMetrics(await ports.state.metrics())),
  );
}
