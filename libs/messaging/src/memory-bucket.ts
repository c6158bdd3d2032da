import { DiscardPolicy, jetstreamManager, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { nanos, type NatsConnection } from '@nats-io/transport-node';

export interface MemoryLimits {
  ttlMs: number;
  bytesMax: number;
}

/**
 * Makes a KV bucket in the server's memory when it is absent. A bucket is a stream of a certain form, and the client itself
 * makes only such that refuse writes when they are full; from this one the oldest entries go.
 */
export async function ensureMemoryBucket(
  connection: NatsConnection,
  name: string,
  { ttlMs, bytesMax }: MemoryLimits,
): Promise<void> {
  const manager = await jetstreamManager(connection);
  const stream = `KV_${name}`;
  try {
    await manager.streams.info(stream);
  } catch {
    await manager.streams.add({
      name: stream,
      subjects: [`$KV.${name}.>`],
      storage: StorageType.Memory,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      max_msgs_per_subject: 1,
      max_bytes: bytesMax,
      max_age: nanos(ttlMs),
      allow_direct: true,
      allow_rollup_hdrs: true,
    });
  }
}
