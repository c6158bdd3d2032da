import type { RowRange } from '@mooring/domain';
import { compressedReader, plainReader } from '../input/byte-reader.ts';
import { badFile } from '../input/file-problem.ts';
import { checkListed, openListed } from '../input/open-listed.ts';
import { RowLines, rowBytesMax } from '../input/row-lines.ts';
import { planColumns, type ColumnsPlan } from './columns-plan.ts';
import { CsvRows } from './csv-rows.ts';
import { JsonRows } from './json-rows.ts';
import { readRowGroups } from './read-row-groups.ts';
import type { RowBatch } from './row-batch.ts';
import type { RowInput } from './row-input.ts';
import { badRowMessage } from './take-row.ts';

/** Puts the next row into the batch without counting it in: true, or why it is no row for the model; undefined when there is none yet. */
export type TakeRow = (batch: RowBatch) => true | string | undefined;

/**
 * The rows of a range, a piece of the file at a time: what is yielded takes the rows of that piece. Rejects with FileProblem or what the
 * system says, also when the file has changed by the time that all of it was read.
 */
export async function* readRows(
  range: RowRange,
  inputs: readonly RowInput[],
  wanted: readonly string[] | undefined,
): AsyncGenerator<TakeRow> {
  const handle = await openListed(range.file);
  try {
    const planFor = (columns: readonly string[]): ColumnsPlan => planColumns(inputs, columns, range.format, wanted);
    if (range.format === 'parquet') {
      yield* readRowGroups(handle, range, inputs, planFor);
      return await checkListed(range.file, handle);
    }
    const { bytes, compression } = range;
    if (bytes === undefined) throw badFile('was cut without saying where its rows lie');
    const reader =
      compression === undefined
        ? plainReader(handle, bytes.start, bytes.end)
        : compressedReader(handle, compression, range.file.bytes);
    try {
      const lines = new RowLines(reader, range.format === 'csv', compression === undefined ? bytes.start : 0);
      const rows =
        range.format === 'csv'
          ? new CsvRows(inputs, range.columns ?? [], planFor(range.columns ?? []))
          : new JsonRows(inputs, range.columns, planFor);
      if (compression !== undefined) await lines.skipTo(bytes.start);
      const take: TakeRow = (batch) => {
        if (!lines.next()) return undefined;
        if (lines.tooLong) return `the row is longer than ${rowBytesMax / 2 ** 20} MiB`;
        try {
          rows.read(lines.buffer, lines.start, lines.end, batch);
          return true;
        } catch (thrown) {
          return badRowMessage(thrown, rows.plan);
        }
      };
      while (await lines.more()) yield take;
      yield take;
    } finally {
      reader.close();
    }
    await checkListed(range.file, handle);
  } finally {
    await handle.close();
  }
}
