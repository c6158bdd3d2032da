import { inlineBansBucket, isNativeCrash, type InlineBanRecord } from '@mooring/domain';
import type { Nats } from '@mooring/messaging';
import type { CrashMarker } from './crash-marker.ts';

export interface InlineBans {
  has(modelDigest: string): boolean;
  stop(): void;
}

/** The models that are never inlined again, kept up to date. Resolves once those known by now are in. */
export async function watchInlineBans(nats: Nats, onChange: () => void): Promise<InlineBans> {
  const bucket = await nats.bucket<InlineBanRecord>(inlineBansBucket);
  const banned = new Set<string>();
  const watch = await bucket.watch({}, (digest, entry) => {
    if (entry === undefined) banned.delete(digest);
    else banned.add(digest);
    onChange();
  });
  return { has: (digest) => banned.has(digest), stop: () => watch.stop() };
}

/**
 * Bans what was in the process before this one, if that ended in native code. `lastExit` is how its supervisor saw it end,
 * as SIGSEGV or 139. Returns what was banned.
 */
export async function banAfterCrash(nats: Nats, marker: CrashMarker, lastExit: string): Promise<string[]> {
  const digests = isNativeCrash(lastExit) ? marker.read() : [];
  if (digests.length > 0) {
    const bucket = await nats.bucket<InlineBanRecord>(inlineBansBucket);
    const ban = { at: new Date().toISOString(), why: `a data-plane process that ran it inline ended with ${lastExit}` };
    for (const digest of digests) await bucket.put(digest, ban);
  }
  marker.remove();
  return digests;
}
