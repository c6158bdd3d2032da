import type { InputFile, RowRange } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';

export interface CutOptions {
  /** Of text files; Parquet is cut between row groups, and a compressed file not at all. */
  rowsPerMiniBatch: number;
  signal: AbortSignal;
}

/**
 * The rows of one file as mini-batches, in order, by one pass over it in bounded memory. A file of which nothing can be read is one
 * range with a `problem`; one without rows (a header alone) has none. Rejects only when `signal` is aborted.
 */
// oxlint-disable-next-line require-yield -- TODO
export async function* cutRows(file: InputFile, _options: CutOptions): AsyncGenerator<RowRange> {
  throw new PlatformError('unimplemented', 'LATER', `${file.path} cannot be cut yet`);
}
