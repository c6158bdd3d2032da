import type { FileHandle } from 'node:fs/promises';
import type { InputFile, RowRange } from '@mooring/domain';
import { parquetRead, type ColumnMetaData, type DecodedArray } from 'hyparquet';
import { badFile, FileProblem } from '../input/file-problem.ts';
import {
  asyncBufferOf,
  checkColumn,
  pageCompressors,
  parquetProblem,
  readFooter,
  type ParquetFile,
} from '../input/parquet-file.ts';
import type { ColumnsPlan } from './columns-plan.ts';
import type { TakeRow } from './read-rows.ts';
import type { RowBatch } from './row-batch.ts';
import type { RowInput } from './row-input.ts';
import { badRowMessage, takeColumns } from './take-row.ts';

/** The columns that are read of one row group are held as a whole. */
const groupBytesMax = 512 * 2 ** 20;

/** The rows of a range of a Parquet file, a row group at a time. Rejects with FileProblem, or what the system says. */
export async function* readRowGroups(
  handle: FileHandle,
  range: RowRange,
  inputs: readonly RowInput[],
  planFor: (columns: readonly string[]) => ColumnsPlan,
): AsyncGenerator<TakeRow> {
  const parquet = await readFooter(range.file, handle);
  const plan = planFor(parquet.columns);
  const columns = [...new Set(plan.columns)];
  const end = range.firstRow + range.rows;
  for (const [index, group] of parquet.groups.entries()) {
    if (group.rows === 0 || group.firstRow < range.firstRow || group.firstRow >= end) continue;
    checkGroup(range.file, parquet, index, columns);
    const values = await columnsOf(handle, range, parquet, group, columns);
    yield takeFrom(values, group.rows, inputs, plan);
  }
}

function checkGroup(file: InputFile, { metadata }: ParquetFile, index: number, columns: readonly string[]): void {
  let bytes = 0;
  for (const column of metadata.row_groups[index]?.columns ?? []) {
    checkColumn(file, column);
    const {
      path_in_schema: path,
      total_uncompressed_size: size,
      total_compressed_size: packed,
    } = column.meta_data as ColumnMetaData;
    if (columns.includes(path[0] ?? '')) bytes += Math.max(Number(size), Number(packed));
  }
  if (bytes <= groupBytesMax) return;
  throw badFile(
    `has a row group of ${Math.ceil(bytes / 2 ** 20)} MiB; write it with groups of less than ${groupBytesMax / 2 ** 20} MiB`,
  );
}

async function columnsOf(
  handle: FileHandle,
  { file }: RowRange,
  { metadata }: ParquetFile,
  { firstRow, rows }: { firstRow: number; rows: number },
  columns: string[],
): Promise<Map<string, DecodedArray>> {
  const pieces = new Map<string, DecodedArray[]>(columns.map((column) => [column, []]));
  try {
    await parquetRead({
      file: asyncBufferOf(file, handle),
      metadata,
      columns,
      rowStart: firstRow,
      rowEnd: firstRow + rows,
      compressors: pageCompressors,
      onChunk: ({ columnName, columnData }) => void pieces.get(columnName)?.push(columnData),
    });
  } catch (thrown) {
    throw parquetProblem(thrown);
  }
  return new Map([...pieces].map(([column, parts]) => [column, joined(column, parts, rows)]));
}

function joined(column: string, parts: readonly DecodedArray[], rows: number): DecodedArray {
  const [first] = parts;
  const values = parts.length === 1 && first !== undefined ? first : parts.flatMap((part) => [...part]);
  if (values.length === rows) return values;
  throw new FileProblem('BadFile', `is damaged: column '${column}' has ${values.length} values for ${rows} rows`);
}

function takeFrom(
  values: ReadonlyMap<string, DecodedArray>,
  rows: number,
  inputs: readonly RowInput[],
  plan: ColumnsPlan,
): TakeRow {
  const [input] = inputs;
  const isFloat = input?.datatype === 'FP32' || input?.datatype === 'FP64';
  const quick = plan.kind === 'elements' && isFloat && input.width === plan.columns.length;
  const elements = quick ? plan.columns.map((column) => values.get(column) as DecodedArray) : undefined;
  let row = -1;
  return (batch) => {
    row += 1;
    if (row >= rows) return undefined;
    if (elements !== undefined && takeFloats(elements, row, batch)) return true;
    try {
      const place = row;
      takeColumns(inputs, plan, (column) => plain(values.get(column)?.[place], 0), batch);
      return true;
    } catch (thrown) {
      return badRowMessage(thrown, plan);
    }
  };
}

/** False where one is no number, or none that a smaller float can be. */
function takeFloats(elements: readonly DecodedArray[], row: number, batch: RowBatch): boolean {
  const memory = batch.memory(0) as Float32Array;
  const base = batch.rows * elements.length;
  for (let element = 0; element < elements.length; element++) {
    const value: unknown = elements[element]?.[row];
    if (typeof value !== 'number') return false;
    memory[base + element] = value;
    if (Number.isFinite(value) && !Number.isFinite(memory[base + element])) return false;
  }
  return true;
}

const depthMax = 32;

/** As JSON has it: infinities are texts, and a column of 64-bit integers is one of numbers where they are. */
function plain(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  const isList = Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
  return isList && depth < depthMax
    ? Array.from(value as ArrayLike<unknown>, (entry) => plain(entry, depth + 1))
    : value;
}
