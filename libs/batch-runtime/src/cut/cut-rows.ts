import type { InputFile, RowRange } from '@mooring/domain';
import { badFile, fileProblemOf } from '../input/file-problem.ts';
import { formatNames, formatOf } from '../input/format-of.ts';
import { openListed } from '../input/open-listed.ts';
import { cutLines } from './cut-lines.ts';
import { cutRowGroups } from './cut-row-groups.ts';

export interface CutOptions {
  /** Of text files; Parquet is cut between row groups, and a compressed file not at all. */
  rowsPerMiniBatch: number;
  signal: AbortSignal;
}

/**
 * The rows of one file as mini-batches, in order, by one pass over it in bounded memory. A file of which nothing can be read is one
 * range with a `problem`; one without rows (a header alone) has none. Where a file turns out to be damaged behind rows that were cut
 * already, what is left is one such range. Rejects only when `signal` is aborted.
 */
export async function* cutRows(file: InputFile, options: CutOptions): AsyncGenerator<RowRange> {
  let firstRow = 0;
  try {
    for await (const range of rangesOf(file, options)) {
      firstRow = range.firstRow + range.rows;
      yield range;
      options.signal.throwIfAborted();
    }
  } catch (thrown) {
    options.signal.throwIfAborted();
    const { reason, message } = fileProblemOf(thrown);
    const { format } = formatOf(file.path) ?? { format: 'csv' };
    yield { file, format, firstRow, rows: 1, problem: { reason, message: `${file.path} ${message}` } };
  }
}

async function* rangesOf(file: InputFile, options: CutOptions): AsyncGenerator<RowRange> {
  const format = formatOf(file.path);
  if (format === undefined) throw badFile(`has a name that does not say which rows it holds: ${formatNames}`);
  const handle = await openListed(file);
  try {
    if (format.format === 'parquet') yield* cutRowGroups(file, handle, options);
    else yield* cutLines(file, format, handle, options);
  } finally {
    await handle.close();
  }
}
