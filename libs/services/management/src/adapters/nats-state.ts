import { randomUUID } from 'node:crypto';
import { kvKey, membersBucket, mirrorBucket, type MemberRecord, type MirrorReportRecord } from '@mooring/domain';
import type { Nats } from '@mooring/messaging';
import { metricsSubject, registry, type ProcessMetrics } from '@mooring/telemetry';
import type { PlatformState } from '../ports.ts';
import { findRequests } from './find-requests.ts';

const processesMax = 64;

export interface NatsStateOptions {
  gatewayPublicUrl: string | undefined;
  gatewayFallbackUrl: string;
  metricsWaitMs: number;
  /** Names this process when the state store is away and it can speak only of itself. */
  process: string;
}

/** Shared state in NATS: who listens where, what routers saw of mirrors, what processes count. */
export async function openNatsState(nats: Nats, options: NatsStateOptions): Promise<PlatformState & { stop(): void }> {
  const mirror = await nats.bucket<MirrorReportRecord>(mirrorBucket);
  const members = await nats.bucket<MemberRecord>(membersBucket);
  let gateway: string | undefined;
  // Watched, so that resources can be shown while the state store is away.
  const watch = await members.watch({}, (key, entry) => {
    if (key === 'gateway') gateway = entry?.value.url;
  });
  let collecting: Promise<ProcessMetrics[]> | undefined;
  return {
    mirrorReports: async (endpoint) => {
      const entries = await mirror.list(kvKey(endpoint));
      return [...entries.values()].map((entry) => entry.value);
    },
    findRequests: (id) => findRequests(nats, id, options.metricsWaitMs),
    gatewayUrl: () => options.gatewayPublicUrl ?? gateway ?? options.gatewayFallbackUrl,
    metrics: () => {
      // Scrapers that come together share one round of questions.
      collecting ??= collectMetrics(nats, options).finally(() => {
        collecting = undefined;
      });
      return collecting;
    },
    announce: async (url) => {
      const startedAt = new Date().toISOString();
      await members.put('management', { service: 'management', id: randomUUID(), url, startedAt });
    },
    stop: () => watch.stop(),
  };
}

async function collectMetrics(nats: Nats, { metricsWaitMs, process }: NatsStateOptions): Promise<ProcessMetrics[]> {
  const own = async (): Promise<ProcessMetrics[]> => [{ process, text: await registry.metrics() }];
  if (!nats.connected()) return own();
  try {
    const answers = await nats.collect(metricsSubject, { waitMs: metricsWaitMs, max: processesMax });
    const read = answers.flatMap(readAnswer);
    return read.length === 0 ? await own() : read.toSorted((a, b) => (a.process < b.process ? -1 : 1));
  } catch {
    return own();
  }
}

function readAnswer(text: string): ProcessMetrics[] {
  try {
    const answer = JSON.parse(text) as Partial<ProcessMetrics>;
    return typeof answer.process === 'string' && typeof answer.text === 'string' ? [answer as ProcessMetrics] : [];
  } catch {
    return [];
  }
}
