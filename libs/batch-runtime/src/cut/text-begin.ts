import { badFile } from '../input/file-problem.ts';

const others: readonly { bytes: readonly number[]; problem: string }[] = [
  { bytes: [0x1f, 0x8b], problem: 'is gzip compressed, which its name does not say: add .gz to it' },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], problem: 'is zstd compressed, which its name does not say: add .zst to it' },
  { bytes: [0x50, 0x41, 0x52, 0x31], problem: 'is a Parquet file, which its name does not say' },
  { bytes: [0x50, 0x4b, 0x03, 0x04], problem: 'is a zip archive, or a workbook of a spreadsheet' },
  { bytes: [0xff, 0xfe], problem: 'is UTF-16 text; save it as UTF-8' },
  { bytes: [0xfe, 0xff], problem: 'is UTF-16 text; save it as UTF-8' },
];
const mark = [0xef, 0xbb, 0xbf];

/** Throws FileProblem where a file's first bytes are those of something else than text. */
export function checkBegin(begin: Uint8Array): void {
  const other = others.find(({ bytes }) => startsWith(begin, bytes));
  if (other !== undefined) throw badFile(other.problem);
}

/** Bytes of UTF-8's mark, if the file begins with it. */
export function markBytes(begin: Uint8Array): number {
  return startsWith(begin, mark) ? mark.length : 0;
}

function startsWith(begin: Uint8Array, bytes: readonly number[]): boolean {
  return bytes.every((byte, index) => begin[index] === byte);
}
