import type { RowFormat, RowRange } from '@mooring/domain';

const formats: Readonly<Record<string, RowFormat>> = {
  csv: 'csv',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  json: 'jsonl',
  parquet: 'parquet',
  pqt: 'parquet',
};
const compressions: Readonly<Record<string, NonNullable<RowRange['compression']>>> = { gz: 'gzip', zst: 'zstd' };

export type FileFormat = Pick<RowRange, 'format' | 'compression'>;

/** What a file's name says that it is, in any case of letters; undefined where rows cannot be in it. */
export function formatOf(path: string): FileFormat | undefined {
  const parts = path
    .slice(path.lastIndexOf('/') + 1)
    .toLowerCase()
    .split('.');
  const compression = compressions[parts.at(-1) ?? ''];
  const format = formats[parts.at(compression === undefined ? -1 : -2) ?? ''];
  // A Parquet file is compressed inside.
  if (format === undefined || parts.length === 1 || (format === 'parquet' && compression !== undefined))
    return undefined;
  return compression === undefined ? { format } : { format, compression };
}

export const formatNames = '.csv, .jsonl, .ndjson or .json (each also with .gz or .zst), .parquet or .pqt';
