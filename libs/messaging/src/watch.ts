import type { KV, KvEntry, KvWatchEntry } from '@nats-io/kv';
import type { Logger } from 'pino';
import type { Entry } from './bucket.ts';
import { within } from './errors.ts';

export interface Watch {
  stop(): void;
}

interface WatchSource {
  kv: KV;
  bucket: string;
  filter: string[];
  deadlineMs: number;
  log: Logger;
  signal: AbortSignal | undefined;
}

const retryMinMs = 100;
const retryMaxMs = 5_000;

/**
 * A watch that outlives lost connections: when the subscription ends it begins anew with the whole present state, and
 * keys that are gone by then are reported as removed.
 */
export async function startWatch<T>(
  source: WatchSource,
  decode: (entry: KvEntry) => Entry<T>,
  onChange: (key: string, entry: Entry<T> | undefined) => void,
): Promise<Watch> {
  const known = new Map<string, number>();
  const first = Promise.withResolvers<void>();
  let stopped = false;
  let end: (() => void) | undefined;
  const stop = (): void => {
    stopped = true;
    end?.();
  };
  source.signal?.addEventListener('abort', stop, { once: true });

  const deliver = (entry: KvWatchEntry): void => {
    if (entry.revision === known.get(entry.key)) return;
    if (entry.operation === 'PUT') {
      known.set(entry.key, entry.revision);
      onChange(entry.key, decode(entry));
    } else if (known.delete(entry.key)) onChange(entry.key, undefined);
  };

  const runOnce = async (): Promise<void> => {
    const seen = new Set<string>();
    let initial = true;
    const initialDone = (): void => {
      initial = false;
      for (const key of known.keys()) {
        if (seen.has(key)) continue;
        known.delete(key);
        onChange(key, undefined);
      }
      first.resolve();
    };
    const entries = await source.kv.watch({ key: source.filter });
    end = () => {
      entries.stop();
      void removeConsumer(entries);
    };
    if (stopped) end();
    if (pendingOf(entries) === 0) initialDone();
    for await (const entry of entries) {
      if (initial && entry.operation === 'PUT') seen.add(entry.key);
      deliver(entry);
      if (initial && entry.isUpdate) initialDone();
    }
  };

  const loop = async (): Promise<void> => {
    for (let delayMs = retryMinMs; !stopped; delayMs = Math.min(delayMs * 2, retryMaxMs)) {
      try {
        await runOnce();
        delayMs = retryMinMs;
      } catch (error) {
        if (stopped) return;
        source.log.warn({ err: error, bucket: source.bucket }, 'watch broke off; starting again');
      }
      if (!stopped) await new Promise((resolve) => setTimeout(resolve, delayMs).unref());
    }
  };
  void loop();
  try {
    await within(first.promise, source.deadlineMs, `${source.bucket} watch`);
  } catch (error) {
    stop();
    throw error;
  }
  return { stop };
}

/** The consumer behind a watch or a history, which the client keeps with its entries. */
interface WithConsumer {
  _data?: { _info?: { num_pending?: number }; delete?: () => Promise<unknown> };
}

/** How many entries the server had for the watch when it began. */
function pendingOf(entries: unknown): number {
  return (entries as WithConsumer)._data?._info?.num_pending ?? 0;
}

/**
 * The client leaves consumers to be found idle by the server, five minutes later; until then a thousand reads reach the
 * most that a bucket may have, and every further one is refused. Best effort: those missed are found idle.
 */
export async function removeConsumer(entries: unknown): Promise<void> {
  await (entries as WithConsumer)._data?.delete?.().catch(() => undefined);
}
