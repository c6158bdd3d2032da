import { BadRow, csvFields } from '../input/csv-fields.ts';
import { badFile } from '../input/file-problem.ts';
import type { RowLines } from '../input/row-lines.ts';

/** Names are kept with every range of the file. */
const headerBytesMax = 2 ** 20;
const columnsMax = 50_000;
const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
// oxlint-disable-next-line no-control-regex -- these are what no name holds
const control = /[\u0000-\u0008\u000b-\u001f\u007f]/;

/** Names of the columns, from the row that `lines` is at. Throws FileProblem. */
export function csvHeader({ buffer, start, end, tooLong }: RowLines): string[] {
  if (tooLong || end - start > headerBytesMax) throw badFile('has a first line that is too long for names of columns');
  const names = namesOf(buffer.subarray(start, end));
  if (names.some((name) => name.includes('\r')))
    throw badFile('has lines that end in CR alone; save it with LF or CRLF');
  if (names.some((name) => control.test(name))) throw badFile('is no text: its first line holds control characters');
  if (names.length > columnsMax) throw badFile(`has ${names.length} columns; at most ${columnsMax} are read`);
  // Columns may be called 0, 1, 2; a first row of numbers is data, which would be lost.
  const isData = names.every((name) => number.test(name)) && names.some((name, index) => name !== String(index));
  if (isData) throw badFile('begins with a row of numbers; its first line must be the names of its columns');
  return names;
}

function namesOf(row: Uint8Array): string[] {
  try {
    return csvFields(row);
  } catch (thrown) {
    if (thrown instanceof BadRow) throw badFile(`has a first line that is none of a CSV file: ${thrown.message}`);
    throw thrown;
  }
}
