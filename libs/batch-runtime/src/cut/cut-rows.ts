import type { InputFile, RowRange } from '@mooring/domain';
import { laterError } from '../later-error.ts';

export interface CutOptions {
  /** Of text files; Parquet is cut between row groups, and a compressed file not at all. */
  rowsPerMiniBatch: number;
  signal: AbortSignal;
}

/**
 * The rows of one file as mini-batches, in order, by one pass over it in bounded memory. A file of which nothing can be read is one
 * range with a `problem`; one without rows (a header alone) has none. Rejects only when `signal` is aborted.
 */
// oxlint-disable-next-line require-yield -- it refuses every file while no format can be read
export async function* cutRows(file: InputFile, _options: CutOptions): AsyncGenerator<RowRange> {
  throw laterError(`rows of files as the items of a batch job (${file.path})`);
}
