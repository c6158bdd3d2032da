import type { ItemError, JobRecord } from '@mooring/domain';
import type { ArtifactStore } from '@mooring/storage';

/** A line of errors is rarely longer; of one that is, nothing is quoted. */
const lineBytesMax = 16 * 1024;
const quotedCharactersMax = 500;

/** Errors that only count; what the first item failed with says more than how many did. */
const counting = new Set(['NoSucceededItem', 'ErrorThresholdExceeded']);

/** The job's error, with the first line of its errors.jsonl quoted where that tells more. */
export async function withFirstError(
  store: Pick<ArtifactStore, 'get'>,
  { error, output }: Pick<JobRecord, 'error' | 'output'>,
): Promise<JobRecord['error']> {
  if (error === undefined || !counting.has(error.code)) return error;
  const first = await firstError(store, output).catch(() => undefined);
  if (first === undefined) return error;
  const quoted = `${first.source}: ${first.message}`.slice(0, quotedCharactersMax);
  return { ...error, message: `${error.message} The first: ${quoted}` };
}

async function firstError(
  store: Pick<ArtifactStore, 'get'>,
  { container, folder }: JobRecord['output'],
): Promise<ItemError> {
  const range = { start: 0, end: lineBytesMax - 1 };
  const { content } = await store.get(container, `${folder}/errors.jsonl`, range);
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk as Uint8Array);
  const [line = ''] = Buffer.concat(chunks).toString('utf8').split('\n');
  return JSON.parse(line) as ItemError;
}
