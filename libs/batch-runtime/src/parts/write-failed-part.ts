import { mkdirSync } from 'node:fs';
import type { ItemError, MiniBatch, PartFile } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { MiniBatchFailed } from '../runner.ts';
import { newPartNames, removeParts, syncFolder } from './part-names.ts';
import { PartWriter } from './part-writer.ts';

/** Why each item failed: the outcome of its last run, or a reason of the worker's own. */
export interface FailedWhole {
  reason: string;
  message: string;
  runs: number;
}

/** Stable words for ItemError's `reason`. */
export const failureReasons: Readonly<Record<MiniBatchFailed['kind'], string>> = {
  raised: 'ScriptRaised',
  'timed-out': 'ScriptTimedOut',
  'process-lost': 'ScriptExited',
};

/**
 * The errors part of a mini-batch of which no item succeeded: a line for each, whole and on disk. Rejects with PARTS_NOT_WRITTEN where
 * the disk refused.
 */
export async function writeFailedPart(partsFolder: string, batch: MiniBatch, why: FailedWhole): Promise<PartFile> {
  const names = newPartNames(batch.index);
  const writer = new PartWriter(partsFolder, names.errors);
  try {
    mkdirSync(partsFolder, { recursive: true });
    for (let place = 0; place < batch.items; place++) {
      const error: ItemError = { item: batch.firstItem + place, source: sourceOf(batch, place), ...why };
      writer.writeLine(JSON.stringify(error));
    }
    const part = writer.close();
    if (part === undefined) throw new RangeError('a mini-batch without items');
    await syncFolder(partsFolder);
    return part;
  } catch (cause) {
    writer.abandon();
    await removeParts(partsFolder, names).catch(() => undefined);
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new PlatformError('resource_exhausted', 'PARTS_NOT_WRITTEN', `errors could not be written: ${words}`, {
      cause,
    });
  }
}

/** Where an item comes from, as ItemError names it. */
export function sourceOf(batch: MiniBatch, place: number): string {
  const { rows, files } = batch;
  if (rows === undefined) return files?.[place]?.path ?? '';
  return rows.problem === undefined ? `${rows.file.path}#${rows.firstRow + place}` : rows.file.path;
}
