import type { Logger } from 'pino';
import type { InstanceRecord, RoutingRecord } from '@mooring/domain';
import type { Nats } from '@mooring/messaging';
import type { Directory } from '../domain/directory.ts';

/**
 * Keeps the directory at what the store says. Resolves once the present state is in. When the store is gone the directory
 * stays as it is; when it is back the watch tells the state anew, removed keys included.
 */
export async function feedDirectory(nats: Nats, directory: Directory, log: Logger): Promise<{ stop(): void }> {
  // One record that cannot be read must not keep the others from being taken in.
  const guarded = (key: string, apply: () => void): void => {
    try {
      apply();
    } catch (error) {
      log.error({ err: error, key }, 'a record could not be taken in; the state before it stays');
    }
  };
  const routing = await nats.bucket<RoutingRecord>('mooring_routing');
  const instances = await nats.bucket<InstanceRecord>('mooring_instances');
  const watches = await Promise.all([
    instances.watch({}, (key, entry) => guarded(key, () => directory.applyInstance(key, entry?.value))),
    routing.watch({}, (key, entry) =>
      guarded(key, () => directory.applyRouting(key, entry?.value, entry?.revision ?? 0)),
    ),
  ]);
  return { stop: () => watches.forEach((watch) => watch.stop()) };
}
