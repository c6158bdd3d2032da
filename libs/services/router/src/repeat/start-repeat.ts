import { randomUUID } from 'node:crypto';
import type { Nats } from '@mooring/messaging';
import type { ScoringPort } from '@mooring/scoring-stream';
import { metrics } from '@mooring/telemetry';
import { createNatsClaims } from '../adapters/nats-claims.ts';
import type { RouterConfig } from '../config.ts';
import type { DeploymentEntry, Directory } from '../domain/directory.ts';
import type { Clock } from '../ports.ts';
import { AlikeRequests } from './alike-requests.ts';
import { AnswerStore } from './answer-store.ts';
import { IdempotentPort, type KnownAnswer } from './idempotency.ts';

export interface Repeat {
  /** What the route answers identical requests with. */
  alike: AlikeRequests;
  /** `route`, with at most one run for each idempotency key. */
  once(route: ScoringPort): IdempotentPort;
  /** Shows what is kept and lets go of what is too old; called now and then, never in a request. */
  tick(): void;
}

/** Everything by which one request's answer becomes that of another. */
export function startRepeat(config: RouterConfig, nats: Nats, directory: Directory, now: Clock): Repeat {
  const limits = {
    entriesMax: config.idempotencyEntriesMax,
    bytesMax: config.idempotencyBytesMax,
    ttlMs: config.idempotencyTtlMs,
  };
  const answers = new AnswerStore<KnownAnswer>(limits, now);
  const alike = new AlikeRequests({
    now,
    bytesMax: config.responseCacheBytesMax,
    note: (target, result) => void (metrics.responseCache.at({ ...labelsOf(target), result }).value += 1),
  });
  let shown: DeploymentEntry[] = [];
  return {
    alike,
    once: (route) =>
      new IdempotentPort(route, {
        directory,
        answers,
        claims: {
          store: createNatsClaims(nats, { ttlMs: limits.ttlMs, bytesMax: config.idempotencySharedBytesMax }),
          leaseMs: config.idempotencyLeaseMs,
        },
        processId: randomUUID(),
        answerBytesMax: config.idempotencyAnswerBytesMax,
        openMax: config.idempotencyOpenMax,
        note: (endpoint, result) => void (metrics.idempotency.at({ endpoint, result }).value += 1),
      }),
    tick: () => {
      answers.sweep();
      alike.forget(({ endpoint, name, pool }) => {
        const present = directory.endpoint(endpoint)?.deployments.get(name);
        return present?.alike === true && present.pool === pool;
      });
      for (const target of shown) metrics.responseCacheBytes.remove(labelsOf(target));
      const held = alike.held();
      for (const { target, bytes } of held) metrics.responseCacheBytes.set(labelsOf(target), bytes);
      shown = held.map(({ target }) => target);
    },
  };
}

function labelsOf({ endpointName, route }: DeploymentEntry): { endpoint: string; deployment: string } {
  return { endpoint: endpointName, deployment: route.name };
}
