import type { FileHandle } from 'node:fs/promises';
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { InputFile } from '@mooring/domain';
import {
  parquetMetadata,
  parquetSchema,
  type AsyncBuffer,
  type ColumnChunk,
  type Compressors,
  type FileMetaData,
} from 'hyparquet';
import { compressors as others } from 'hyparquet-compressors';
import { badFile, FileProblem } from './file-problem.ts';

/** What a file says of itself lies at its end, and is held as a whole. */
const footerBytesMax = 64 * 2 ** 20;
const tailBytes = 8;
const magic = 'PAR1';
/** What columns that are the same all along take at least; more rows than that were never there. */
const rowsPerByteMax = 16;
const rowsFreely = 1_000;

export interface ParquetFile {
  metadata: FileMetaData;
  /** Of the top level, in their order. */
  columns: readonly string[];
  /** In order. */
  groups: readonly { firstRow: number; rows: number }[];
}

/** Reads what a Parquet file says of itself. Rejects with FileProblem, or what the system says. */
export async function readFooter(file: InputFile, handle: FileHandle): Promise<ParquetFile> {
  const { bytes } = file;
  const tail = bytes < tailBytes + magic.length ? Buffer.alloc(0) : await readAt(handle, bytes - tailBytes, bytes);
  if (tail.toString('latin1', 4) !== magic) throw badFile('is no Parquet file, or not all of one: its end is missing');
  const footerBytes = tail.readUInt32LE(0) + tailBytes;
  if (footerBytes > footerBytesMax) throw badFile(`describes itself in more than ${footerBytesMax / 2 ** 20} MiB`);
  if (footerBytes > bytes) throw badFile('is damaged: it describes itself in more bytes than it has');
  const footer = await readAt(handle, bytes - footerBytes, bytes);
  return ofParquet(() => described(parquetMetadata(footer, { geoparquet: false }), bytes));
}

function described(metadata: FileMetaData, bytes: number): ParquetFile {
  let firstRow = 0;
  const groups = metadata.row_groups.map(({ num_rows }) => {
    const rows = Number(num_rows);
    if (!Number.isSafeInteger(rows) || rows < 0) throw new RangeError(`a row group of ${num_rows} rows`);
    const group = { firstRow, rows };
    firstRow += rows;
    return group;
  });
  if (firstRow > rowsFreely + rowsPerByteMax * bytes) throw new RangeError(`${firstRow} rows in ${bytes} bytes`);
  return { metadata, groups, columns: parquetSchema(metadata).children.map(({ element }) => element.name) };
}

export function asyncBufferOf(file: InputFile, handle: FileHandle): AsyncBuffer {
  return {
    byteLength: file.bytes,
    slice: async (start, end = file.bytes) => (await readAt(handle, start, end)).buffer as ArrayBuffer,
  };
}

/** Throws FileProblem where a column of the file is not where it could be, before the reader begins to fetch. */
export function checkColumn(file: InputFile, { meta_data: meta, file_path }: ColumnChunk): void {
  if (meta === undefined || file_path !== undefined) throw badFile('has its columns in other files, or encrypted');
  const start = Number(meta.dictionary_page_offset || meta.data_page_offset);
  const bytes = Number(meta.total_compressed_size);
  if (!(start >= 0 && bytes >= 0 && start + bytes <= file.bytes))
    throw badFile('is damaged: columns lie outside of it');
}

async function readAt(handle: FileHandle, start: number, end: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(end - start);
  for (let at = 0; at < bytes.length;) {
    const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at);
    if (bytesRead === 0) throw new FileProblem('FileChanged', 'has become shorter while it was read');
    at += bytesRead;
  }
  return bytes;
}

const pageBytesMax = 256 * 2 ** 20;

/** What pages are decompressed with: no page becomes larger than it says, or than anybody writes them. */
export const pageCompressors: Compressors = {
  ...Object.fromEntries(
    Object.entries(others).map(([codec, decompress]) => [
      codec,
      (input: Uint8Array, length: number) => decompress(input, checked(length)),
    ]),
  ),
  GZIP: (input, length) => gunzipSync(input, { maxOutputLength: checked(length) }),
  BROTLI: (input, length) => brotliDecompressSync(input, { maxOutputLength: checked(length) }),
  ZSTD: (input, length) => zstdDecompressSync(input, { maxOutputLength: checked(length) }),
};

function checked(length: number): number {
  if (length >= 0 && length <= pageBytesMax) return Math.max(1, length);
  throw badFile(`has a page of ${length} bytes; at most ${pageBytesMax / 2 ** 20} MiB are read`);
}

/** Runs the reader of Parquet; what it throws is the file's fault. */
function ofParquet<T>(work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw parquetProblem(thrown);
  }
}

const wordsMax = 200;

export function parquetProblem(thrown: unknown): unknown {
  if (thrown instanceof FileProblem || (thrown as NodeJS.ErrnoException).syscall !== undefined) return thrown;
  return badFile(`is damaged, or of a kind of Parquet that is not read: ${wordsOf(thrown).slice(0, wordsMax)}`);
}

function wordsOf(thrown: unknown): string {
  // What the reader stumbled over in its own code says nothing of the file.
  if (thrown instanceof TypeError || thrown instanceof RangeError) return 'its parts do not fit together';
  return thrown instanceof Error ? thrown.message : String(thrown);
}
