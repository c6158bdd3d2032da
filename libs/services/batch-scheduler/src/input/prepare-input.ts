import { jsonLines, makeJobFolders, writeJsonLines, type JobFiles } from '@mooring/batch-jobs';
import { withoutQuery, type InputFile, type JobRecord, type MiniBatch } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { cutInput } from './cut-input.ts';
import type { FoundInput } from './find-input.ts';
import { listFiles } from './list-files.ts';

export interface PrepareOptions {
  rowsPerMiniBatch: number | undefined;
  signal: AbortSignal;
}

/**
 * Lists the input, then cuts what was listed; both are written down, so that a job means the same files whatever happens to the
 * folder afterwards. Safe to repeat. Rejects with `invalid_argument` where there is nothing to score.
 */
export async function prepareInput(
  job: JobRecord,
  input: FoundInput,
  files: JobFiles,
  options: PrepareOptions,
): Promise<NonNullable<JobRecord['listing']>> {
  await makeJobFolders(files);
  let bytes = 0;
  const listing = await writeJsonLines(
    files.listing,
    counted(listFiles(input, { scratch: files.root, signal: options.signal }), (file) => void (bytes += file.bytes)),
  );
  if (listing.lines === 0) {
    const what = input.glob === undefined ? 'holds no files' : `holds no files that match '${input.glob}'`;
    throw new PlatformError('invalid_argument', 'INPUT_EMPTY', `input '${withoutQuery(job.input.uri)}' ${what}`);
  }
  let items = 0;
  const batches = await writeJsonLines(
    files.miniBatches,
    counted(cutInput(job, filesListed(files), options), (batch: MiniBatch) => void (items += batch.items)),
  );
  if (items === 0) {
    throw new PlatformError(
      'invalid_argument',
      'INPUT_EMPTY',
      `the files of input '${withoutQuery(job.input.uri)}' hold no rows`,
    );
  }
  const itemKind = options.rowsPerMiniBatch === undefined ? 'files' : 'rows';
  return { files: listing.lines, bytes, items, miniBatches: batches.lines, itemKind, sha256: listing.sha256 };
}

async function* filesListed(files: JobFiles): AsyncGenerator<InputFile> {
  for await (const { value } of jsonLines<InputFile>(files.listing)) yield value;
}

async function* counted<T>(values: AsyncIterable<T>, note: (value: T) => void): AsyncGenerator<T> {
  for await (const value of values) {
    note(value);
    yield value;
  }
}
