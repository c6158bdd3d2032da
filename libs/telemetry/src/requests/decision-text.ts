import type { Decided } from './ended-request.ts';

/** Asks, as a header or gRPC metadata with any value but `0`, for how a request was decided. */
export const explainHeader = 'x-mooring-explain';
/** Answers it. */
export const decisionHeader = 'x-mooring-decision';

/**
 * How a request was decided, on one line in the form of RFC 8941 dictionaries: `rule=weight, bucket=42,
 * deployment="luca", ...`. What does not apply is left out.
 */
export function decisionText(decided: Decided): string {
  const { trafficSlotPlusOne, pick, placement, batchRows, coldStart, cache, idempotency } = decided;
  const parts = [
    `rule=${pick || 'none'}`,
    trafficSlotPlusOne > 0 ? `bucket=${trafficSlotPlusOne - 1}` : '',
    quoted('deployment', decided.deployment),
    quoted('instance', decided.instanceId),
    token('placement', placement),
    quoted('batch', decided.batchId),
    batchRows > 0 ? `batch-rows=${batchRows}` : '',
    decided.rows > 0 ? `rows=${decided.rows}` : '',
    `retries=${decided.retries}`,
    `ejections=${decided.ejections}`,
    quoted('model', decided.modelDigest),
    `cold-start=${coldStart || 'no'}`,
    token('cache', cache),
    token('idempotency', idempotency),
    quoted('mirrored', decided.mirrored),
  ];
  return parts.filter((part) => part !== '').join(', ');
}

/** Whether a caller asks for it; `value` is that of `explainHeader`. */
export function wantsDecision(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0';
}

/** A word of ours. */
function token(name: string, value: string): string {
  return value === '' ? '' : `${name}=${value}`;
}

/** A name; anything that is no printable ASCII could break a header. */
function quoted(name: string, value: string): string {
  return value === '' ? '' : `${name}="${value.replace(/[^\x20-\x7e]|["\\]/g, '?')}"`;
}
