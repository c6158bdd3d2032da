import type { KV, KvEntry } from '@nats-io/kv';
import type { Logger } from 'pino';
import { PlatformError } from '@mooring/errors';
import { disconnected, within } from './errors.ts';
import { removeConsumer, startWatch, type Watch } from './watch.ts';

/** A value with the revision under which it is stored. */
export interface Entry<T> {
  value: T;
  revision: number;
  createdAt: Date;
}

/** An earlier state of a key; `value` is undefined where it was deleted. */
export interface HistoryEntry<T> {
  value: T | undefined;
  revision: number;
  createdAt: Date;
}

/** JSON documents in a NATS KV bucket. Every call has a deadline; a lost NATS rejects with `STATE_STORE_UNAVAILABLE`. */
export interface Bucket<T> {
  get(key: string): Promise<Entry<T> | undefined>;
  /** Writes only if the key is absent (or deleted); else `already_exists`. Resolves with the new revision. */
  create(key: string, value: T): Promise<number>;
  put(key: string, value: T): Promise<number>;
  /** Compare and set: writes only on top of `revision`; else `aborted`/`STALE_ETAG`. */
  update(key: string, value: T, revision: number): Promise<number>;
  /** Deletes; absent keys are fine. With `revision`: only on top of it. */
  delete(key: string, revision?: number): Promise<void>;
  /** Removes everything below `prefix` without a trace; watches are not told. */
  purge(prefix: string): Promise<void>;
  /** Oldest first, at most the bucket's history. */
  history(key: string): Promise<HistoryEntry<T>[]>;
  /** Everything below `prefix` (whole tokens: `cars` means `cars.>` and `cars`), or everything. */
  list(prefix?: string): Promise<Map<string, Entry<T>>>;
  /** Tells every change from the present state on; resolves when the present state has been delivered. */
  watch(
    options: { prefix?: string; signal?: AbortSignal },
    onChange: (key: string, entry: Entry<T> | undefined) => void,
  ): Promise<Watch>;
}

export function createBucket<T>(
  kv: KV,
  name: string,
  deadlineMs: number,
  connected: () => boolean,
  log: Logger,
  /** Drops the messages of a subject from the bucket's stream. */
  purgeSubject: (subject: string) => Promise<unknown>,
): Bucket<T> {
  const decode = (entry: KvEntry): Entry<T> => ({
    value: entry.json<T>(),
    revision: entry.revision,
    createdAt: entry.created,
  });
  const encode = (value: T): string => JSON.stringify(value);
  // A client that lost its connection would hold a write back and send it later, after its caller was told of a failure.
  const bounded = async <R>(work: () => Promise<R>, key: string): Promise<R> => {
    if (!connected()) throw disconnected(`${name}/${key}`);
    return within(work(), deadlineMs, `${name}/${key}`);
  };
  const bucket: Bucket<T> = {
    get: async (key) => {
      const entry = await bounded(() => kv.get(key), key);
      return entry === null || entry.operation !== 'PUT' ? undefined : decode(entry);
    },
    create: async (key, value) => {
      try {
        return await bounded(() => kv.create(key, encode(value)), key);
      } catch (thrown) {
        const error = PlatformError.from(thrown);
        if (error.reason !== 'STALE_ETAG') throw error;
        throw new PlatformError('already_exists', 'ALREADY_EXISTS', `${name}/${key} exists already`, { cause: thrown });
      }
    },
    put: (key, value) => bounded(() => kv.put(key, encode(value)), key),
    update: (key, value, revision) => bounded(() => kv.update(key, encode(value), revision), key),
    delete: (key, revision) =>
      bounded(() => kv.delete(key, revision === undefined ? {} : { previousSeq: revision }), key),
    purge: (prefix) => bounded(async () => void (await purgeSubject(`$KV.${name}.${prefix}.>`)), prefix),
    history: (key) => bounded(() => readHistory<T>(kv, key), key),
    list: (prefix) => bounded(() => readAll(bucket, prefix, deadlineMs), prefix ?? 'everything'),
    watch: ({ prefix, signal }, onChange) =>
      startWatch<T>({ kv, bucket: name, filter: filterOf(prefix), deadlineMs, log, signal }, decode, onChange),
  };
  return bucket;
}

function filterOf(prefix: string | undefined): string[] {
  return prefix === undefined || prefix === '' ? ['>'] : [prefix, `${prefix}.>`];
}

async function readHistory<T>(kv: KV, key: string): Promise<HistoryEntry<T>[]> {
  const entries: HistoryEntry<T>[] = [];
  const found = await kv.history({ key });
  for await (const entry of found) {
    entries.push({
      value: entry.operation === 'PUT' ? entry.json<T>() : undefined,
      revision: entry.revision,
      createdAt: entry.created,
    });
  }
  await removeConsumer(found);
  return entries;
}

async function readAll<T>(
  bucket: Bucket<T>,
  prefix: string | undefined,
  deadlineMs: number,
): Promise<Map<string, Entry<T>>> {
  const found = new Map<string, Entry<T>>();
  const stop = AbortSignal.timeout(deadlineMs);
  const watch = await bucket.watch({ ...(prefix === undefined ? {} : { prefix }), signal: stop }, (key, entry) => {
    if (entry === undefined) found.delete(key);
    else found.set(key, entry);
  });
  watch.stop();
  return found;
}
