import { kvKey, type EndpointCredentialsRecord } from '@mooring/domain';
import type { Nats } from '@mooring/messaging';

export const credentialsBucket = 'mooring_credentials';
const prefix = 'endpoint';

/** Key of an endpoint's record in the bucket. */
export function credentialsKey(endpoint: string): string {
  return `${prefix}.${kvKey(endpoint)}`;
}

export interface Credentials {
  /** The verifiers of an endpoint by its name in any case, or undefined when it has no keys. Never waits. */
  get(endpoint: string): EndpointCredentialsRecord | undefined;
  stop(): void;
}

/**
 * The verifiers of every endpoint in memory; resolves once the present ones are there, and rejects when NATS gives no
 * answer in time. Later changes arrive within milliseconds; while NATS is lost the last known ones go on working.
 */
export async function watchCredentials(nats: Nats): Promise<Credentials> {
  const records = new Map<string, EndpointCredentialsRecord>();
  const bucket = await nats.bucket<EndpointCredentialsRecord>(credentialsBucket);
  const watch = await bucket.watch({ prefix }, (key, entry) => {
    if (entry === undefined) records.delete(key);
    else records.set(key, entry.value);
  });
  return { get: (endpoint) => records.get(credentialsKey(endpoint)), stop: () => watch.stop() };
}
