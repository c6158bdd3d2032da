import type { Logger } from 'pino';
import type { RoutingRecord } from '@mooring/domain';
import type { Nats } from '@mooring/messaging';
import type { EndpointDirectory, EndpointEntry } from '../ports.ts';

/**
 * The endpoints of the routing records, kept up to date; resolves once the present ones are in. While NATS is lost the
 * last known ones stay.
 */
export async function watchEndpoints(nats: Nats, log: Logger): Promise<EndpointDirectory & { stop(): void }> {
  const byKey = new Map<string, EndpointEntry>();
  const byName = new Map<string, EndpointEntry>();
  const bucket = await nats.bucket<RoutingRecord>('mooring_routing');
  const watch = await bucket.watch({}, (key, entry) => {
    try {
      const before = byKey.get(key);
      if (before !== undefined) byName.delete(before.name.toLowerCase());
      byKey.delete(key);
      if (entry === undefined) return;
      const found = entryOf(entry.value);
      byKey.set(key, found);
      byName.set(found.name.toLowerCase(), found);
    } catch (error) {
      log.error({ err: error, key }, 'a routing record could not be read');
    }
  });
  return {
    find: (name) => byName.get(name.toLowerCase()),
    all: () => byName.values(),
    stop: () => watch.stop(),
  };
}

function entryOf(record: RoutingRecord): EndpointEntry {
  const deployments = Object.values(record.deployments).map(({ name, model }) => ({ name, model: model?.name }));
  return { name: record.endpoint, deployments };
}
