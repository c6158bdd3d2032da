import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadCases, modelFile } from '../../reliability/cases.ts';

export const irisModel = modelFile;
export const columns = ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'];

const cases = loadCases();
const rowsAtOnce = 10_000;
const filesPerFolder = 1_000;

/** Rows of iris, a little different each time they come again. */
export function rowOf(index: number): Record<string, number> {
  const { row } = cases[index % cases.length] as { row: readonly number[] };
  const values = columns.map((column, at) => [column, Math.round((row[at] ?? 0) * 1_000 + (index % 7)) / 1_000]);
  return { id: index, ...(Object.fromEntries(values) as Record<string, number>) };
}

/** One file of JSON lines. Holds a part of it at a time. */
export function writeRows(path: string, rows: number): void {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, 'w');
  for (let first = 0; first < rows; first += rowsAtOnce)
    writeSync(file, linesOf(first, Math.min(rowsAtOnce, rows - first)));
  closeSync(file);
}

/** Small files of JSON lines. */
export function writeSmallFiles(folder: string, files: number, rowsPerFile: number): void {
  for (let index = 0; index < files; index += 1) {
    const below = join(folder, String(Math.floor(index / filesPerFolder)).padStart(4, '0'));
    mkdirSync(below, { recursive: true });
    writeFileSync(join(below, `${String(index).padStart(6, '0')}.jsonl`), linesOf(index * rowsPerFile, rowsPerFile));
  }
}

function linesOf(first: number, rows: number): string {
  return Array.from({ length: rows }, (_, offset) => `${JSON.stringify(rowOf(first + offset))}\n`).join('');
}
