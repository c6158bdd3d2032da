import { kvKey } from '@mooring/domain';
import type { Bucket } from '@mooring/messaging';
import { canonicalJson } from '../domain/spec-digest.ts';
import type { EndpointRecords } from '../ports.ts';

/** Records in NATS. What is there already is not written again: each write wakes every data-plane process. */
export async function openEndpointRecords<R extends { endpoint: string }>(
  bucket: Bucket<R>,
): Promise<{ store: EndpointRecords<R>; endpoints: string[] }> {
  const present = await bucket.list();
  const written = new Map([...present].map(([key, { value }]) => [key, canonicalJson(value)] as const));
  const store: EndpointRecords<R> = {
    put: async (endpoint, record) => {
      const key = kvKey(endpoint);
      const text = canonicalJson(record);
      if (written.get(key) === text) return;
      written.delete(key);
      await bucket.put(key, record);
      written.set(key, text);
    },
    remove: async (endpoint) => {
      await bucket.delete(kvKey(endpoint));
      written.delete(kvKey(endpoint));
    },
  };
  return { store, endpoints: [...present.values()].map(({ value }) => value.endpoint) };
}
