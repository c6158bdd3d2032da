import { createHash, randomUUID } from 'node:crypto';
import { isAssetName, kvKey } from '@mooring/domain';

export const jobNameRule = 'at most 64 letters, digits, dashes, underscores and dots, beginning with a letter or digit';

export function isJobName(name: string): boolean {
  return name.length <= 64 && isAssetName(name);
}

/**
 * The job that a request makes. One with an idempotency key is always named the same, so that making the document, which can be done
 * once, is all that it takes to make one job of any number of retries.
 */
export function nameOfJob(endpoint: string, asked: string | undefined, idempotencyKey: string): string {
  if (asked !== undefined) return asked;
  const unique = idempotencyKey === '' ? randomUUID() : `${endpoint.toLowerCase()}\0${idempotencyKey}`;
  return `batchjob-${createHash('sha256').update(unique).digest('hex').slice(0, 32)}`;
}

/** Key of a job's document. */
export function jobStoreKey(name: string): string {
  return kvKey('job', name);
}
