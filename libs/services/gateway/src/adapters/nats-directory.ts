import type { Logger } from 'pino';
import { batchEndpointsBucket, routingBucket, type BatchEndpointRecord, type RoutingRecord } from '@mooring/domain';
import type { Nats } from '@mooring/messaging';
import type { EndpointDirectory, EndpointEntry } from '../ports.ts';

export type WatchedEndpoints = EndpointDirectory & { stop(): void };

/** The online endpoints of the routing records, kept up to date. */
export function watchEndpoints(nats: Nats, log: Logger): Promise<WatchedEndpoints> {
  return watchDirectory<RoutingRecord>(nats, routingBucket, log, ({ endpoint, deployments }) => ({
    name: endpoint,
    deployments: Object.values(deployments).map(({ name, model }) => ({ name, model: model?.name })),
  }));
}

/** The batch endpoints, kept up to date. No name is an online endpoint's as well. */
export function watchBatchEndpoints(nats: Nats, log: Logger): Promise<WatchedEndpoints> {
  return watchDirectory<BatchEndpointRecord>(nats, batchEndpointsBucket, log, ({ endpoint, deployments }) => ({
    name: endpoint,
    deployments: deployments.map((name) => ({ name, model: undefined })),
  }));
}

/** Resolves once the present records are in. While NATS is lost the last known ones stay. */
async function watchDirectory<R>(
  nats: Nats,
  bucketName: string,
  log: Logger,
  entryOf: (record: R) => EndpointEntry,
): Promise<WatchedEndpoints> {
  const byKey = new Map<string, EndpointEntry>();
  const byName = new Map<string, EndpointEntry>();
  const bucket = await nats.bucket<R>(bucketName);
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
      log.error({ err: error, bucket: bucketName, key }, 'the record of an endpoint could not be read');
    }
  });
  return {
    find: (name) => byName.get(name.toLowerCase()),
    all: () => byName.values(),
    stop: () => watch.stop(),
  };
}
