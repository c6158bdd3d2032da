import type { JobUsage, MiniBatchRecord } from '@mooring/domain';

const nothing: JobUsage = { instanceS: 0, items: 0, bytes: 0 };

/** What one mini-batch took in `attempt`: nothing where its record is an earlier one's, or nobody ran it. */
export function usageOfRecord(record: MiniBatchRecord, attempt: number): JobUsage {
  if (record.attempt !== attempt || record.skipped > 0) return nothing;
  const runMs = Math.max(0, Date.parse(record.endedAt) - Date.parse(record.startedAt));
  return { instanceS: runMs / 1_000, items: record.succeeded + record.failed, bytes: record.bytes ?? 0 };
}

/** Seconds to the millisecond, because sums of them are off by a hair. */
export function addUsage(a: JobUsage, b: JobUsage = nothing): JobUsage {
  const instanceS = Math.round((a.instanceS + b.instanceS) * 1_000) / 1_000;
  return { instanceS, items: a.items + b.items, bytes: a.bytes + b.bytes };
}
