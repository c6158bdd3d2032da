import type { FileHandle } from 'node:fs/promises';
import type { InputFile, RowRange } from '@mooring/domain';
import { readFooter } from '../input/parquet-file.ts';
import type { CutOptions } from './cut-rows.ts';

/** Cuts a Parquet file between row groups: as many as make no more than a mini-batch, at least one. Rejects as readFooter. */
export async function* cutRowGroups(
  file: InputFile,
  handle: FileHandle,
  { rowsPerMiniBatch }: CutOptions,
): AsyncGenerator<RowRange> {
  const { groups, columns } = await readFooter(file, handle);
  const range = { file, format: 'parquet', columns } as const;
  let [firstRow, rows] = [0, 0];
  for (const group of groups) {
    if (rows > 0 && rows + group.rows > rowsPerMiniBatch) {
      yield { ...range, firstRow, rows };
      [firstRow, rows] = [firstRow + rows, 0];
    }
    rows += group.rows;
  }
  if (rows > 0) yield { ...range, firstRow, rows };
}
