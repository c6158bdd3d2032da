import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { MiniBatchRecord } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { Bucket } from '@mooring/messaging';
import { jobKey, outputsOfPart, type JobFiles } from './job-files.ts';

export type MiniBatchRecords = Bucket<MiniBatchRecord>;

/** Indexes have eight digits, so that the keys' order is the input's. */
export function recordKey(job: string, index: number): string {
  return `${jobKey(job)}.${String(index).padStart(8, '0')}`;
}

/** The index in a record's key; undefined for a key that is none of a record. */
export function indexOfKey(key: string): number | undefined {
  const last = key.slice(key.lastIndexOf('.') + 1);
  return /^\d{8,}$/.test(last) ? Number(last) : undefined;
}

/** True when a record says that nothing of its mini-batch is left to do in `attempt`. */
export function isDone(record: MiniBatchRecord, attempt: number): boolean {
  return record.attempt >= attempt || (record.skipped === 0 && record.failedWhole !== true);
}

/**
 * Makes `record` the one result of its mini-batch, unless there is one: then the files that `record` names are removed and the
 * answer is false. Repeating it is safe: the record that is already there by an earlier try of the same run counts as made.
 * Rejects with `unavailable` when it is not known whether it was stored.
 */
export async function commit(
  records: MiniBatchRecords,
  job: string,
  files: JobFiles,
  record: MiniBatchRecord,
): Promise<boolean> {
  const key = recordKey(job, record.index);
  const made = await tryCommit(records, key, record);
  if (!made) await removeParts(files, record);
  return made;
}

async function tryCommit(records: MiniBatchRecords, key: string, record: MiniBatchRecord): Promise<boolean> {
  // Nearly always there is none yet, and nothing need be read.
  if (await wrote(records.create(key, record))) return true;
  const present = await records.get(key);
  if (present !== undefined && isSame(present.value, record)) return true;
  if (present !== undefined && isDone(present.value, record.attempt)) return false;
  const onTop = present === undefined ? records.create(key, record) : records.update(key, record, present.revision);
  if (await wrote(onTop)) return true;
  const winner = await records.get(key);
  return winner !== undefined && isSame(winner.value, record);
}

/** False: somebody else wrote. */
async function wrote(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (thrown) {
    const { code } = PlatformError.from(thrown);
    if (code === 'already_exists' || code === 'aborted') return false;
    throw thrown;
  }
}

/** Of one run: its files have names that no other run's have; a run without any is told by its times. */
function isSame(a: MiniBatchRecord, b: MiniBatchRecord): boolean {
  return (
    a.attempt === b.attempt &&
    a.worker === b.worker &&
    a.endedAt === b.endedAt &&
    a.part?.file === b.part?.file &&
    a.errors?.file === b.errors?.file
  );
}

async function removeParts(files: JobFiles, { part, errors }: MiniBatchRecord): Promise<void> {
  for (const written of [part, errors]) {
    if (written !== undefined) await rm(join(files.parts, written.file), { force: true });
  }
  if (part !== undefined) await rm(outputsOfPart(files, part), { force: true, recursive: true });
}
