import type { Logger } from 'pino';
import { inlineBansBucket, type InlineBanRecord } from '@mooring/domain';
import type { Nats } from '@mooring/messaging';
import type { InlineBans } from '../ports.ts';

const retryMs = 2_000;

/** Bans in NATS, where routers read and write them too. The watch ends with the connection. */
export async function openInlineBans(
  nats: Nats,
  log: Logger,
): Promise<InlineBans & { onChange(listener: () => void): void }> {
  const bucket = await nats.bucket<InlineBanRecord>(inlineBansBucket);
  const known = new Map<string, string>();
  let changed: () => void = () => {};
  await bucket.watch({}, (digest, entry) => {
    if (entry !== undefined) known.set(digest, entry.value.why);
    changed();
  });
  const write = (digest: string, record: InlineBanRecord): void => {
    bucket.put(digest, record).catch((error: unknown) => {
      log.warn({ err: error, model: digest }, 'a ban could not be written; trying again');
      setTimeout(() => write(digest, record), retryMs).unref();
    });
  };
  return {
    why: (digest) => known.get(digest),
    ban: (digest, why) => {
      if (known.has(digest)) return;
      known.set(digest, why);
      log.warn({ model: digest, why }, 'a model is banned from the data plane');
      write(digest, { at: new Date().toISOString(), why });
    },
    onChange: (listener) => {
      changed = listener;
    },
  };
}
