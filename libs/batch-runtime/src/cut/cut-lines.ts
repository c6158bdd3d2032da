import type { FileHandle } from 'node:fs/promises';
import type { InputFile, RowRange } from '@mooring/domain';
import { compressedReader, plainReader } from '../input/byte-reader.ts';
import { badFile } from '../input/file-problem.ts';
import type { FileFormat } from '../input/format-of.ts';
import { RowLines } from '../input/row-lines.ts';
import { csvHeader } from './csv-header.ts';
import type { CutOptions } from './cut-rows.ts';
import { checkDocument, columnsOfLine } from './json-columns.ts';
import { checkBegin, markBytes } from './text-begin.ts';

/** Rows that are looked at for one that says what columns there are. */
const rowsLookedAtMax = 1_000;

/** Cuts a text file at line ends. Rejects with FileProblem, what the system says, or the signal's reason. */
export async function* cutLines(
  file: InputFile,
  format: FileFormat,
  handle: FileHandle,
  { rowsPerMiniBatch, signal }: CutOptions,
): AsyncGenerator<RowRange> {
  const isCsv = format.format === 'csv';
  const compressed = format.compression;
  const reader =
    compressed === undefined ? plainReader(handle, 0, file.bytes) : compressedReader(handle, compressed, file.bytes);
  try {
    const lines = new RowLines(reader, isCsv);
    await lines.more();
    checkBegin(lines.begin());
    const mark = markBytes(lines.begin());
    lines.skip(mark);
    let columns = isCsv ? await headerOf(lines) : undefined;
    const cut = { start: isCsv ? lines.endsAt : mark, firstRow: 0, rows: 0 };
    let end = cut.start;
    const range = (): RowRange => ({
      file,
      ...format,
      firstRow: cut.firstRow,
      rows: cut.rows,
      bytes: { start: cut.start, end },
      ...(columns === undefined ? {} : { columns }),
    });
    let looked = 0;
    do {
      signal.throwIfAborted();
      while (lines.next()) {
        if (cut.rows === rowsPerMiniBatch && compressed === undefined) {
          yield range();
          Object.assign(cut, { start: end, firstRow: cut.firstRow + cut.rows, rows: 0 });
        }
        if (looked === 0 && !isCsv) checkDocument(file.path, lines);
        // All ranges of a file name the same columns, so a row that says nothing leaves it to the next one of the first range.
        if (!isCsv && columns === undefined && looked < rowsLookedAtMax && cut.firstRow === 0) {
          const found = columnsOfLine(lines);
          if (found === 'array') looked = rowsLookedAtMax;
          else columns = found;
        }
        looked += 1;
        cut.rows += 1;
        end = lines.endsAt;
      }
    } while (await lines.more());
    if (cut.rows > 0) yield range();
  } finally {
    reader.close();
  }
}

async function headerOf(lines: RowLines): Promise<string[]> {
  while (!lines.next())
    if (!(await lines.more())) throw badFile('is empty: a CSV file begins with the names of its columns');
  return csvHeader(lines);
}
