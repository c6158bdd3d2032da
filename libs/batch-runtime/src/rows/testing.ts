import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { InputFile, ItemError, MiniBatch, PartFile, RowRange } from '@mooring/domain';
import { cutRows } from '../cut/cut-rows.ts';
import { newPartNames } from '../parts/part-names.ts';
import { never, useRunners } from '../testing.ts';
import { openRowModel, type RowModel } from './row-model.ts';
import type { LineForm } from './row-lines-writer.ts';
import { scoreRows } from './score-rows.ts';

/** For spec files. */
export const irisColumns = ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'];
export const header = `${irisColumns.join(',')}\n`;

export function modelFile(model: string): string {
  return fileURLToPath(new URL(`../../../testing/fixtures/${model}`, import.meta.url));
}

export const irisFile = modelFile('iris-onnx/model.onnx');

/** A row of each of the three classes, a little different each time. */
export function irisRow(index: number): number[] {
  const kinds = [
    [5.1, 3.5, 1.4, 0.2],
    [5.9, 3, 4.2, 1.5],
    [6.3, 3.3, 6, 2.5],
  ];
  return (kinds[index % 3] as number[]).map((value) => Math.round((value + (index % 10) / 100) * 1_000) / 1_000);
}

export function irisObject(index: number): Record<string, number> {
  return Object.fromEntries(irisRow(index).map((value, column) => [irisColumns[column] as string, value]));
}

export function texts(count: number, textOf: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => `${textOf(index)}\n`).join('');
}

export async function cut(file: InputFile, rowsPerMiniBatch = 10_000): Promise<RowRange[]> {
  const ranges: RowRange[] = [];
  for await (const range of cutRows(file, { rowsPerMiniBatch, signal: never })) ranges.push(range);
  return ranges;
}

export interface ScoredFile {
  ranges: RowRange[];
  /** Of all mini-batches. */
  succeeded: number;
  failed: number;
  lines: string[];
  errors: ItemError[];
}

export interface ScoreOptions {
  columns?: readonly string[];
  rowsPerMiniBatch?: number;
  form?: LineForm;
  model?: RowModel;
}

let iris: RowModel | undefined;

/** Scores files in this process. */
export function useScoring() {
  const { files, folder } = useRunners();
  const score = async (file: InputFile, options: ScoreOptions = {}): Promise<ScoredFile> => {
    const { columns, rowsPerMiniBatch, form = 'json', model = (iris ??= openRowModel(irisFile, undefined)) } = options;
    const parts = join(folder(), 'parts');
    mkdirSync(parts);
    const ranges = await cut(file, rowsPerMiniBatch);
    const result: ScoredFile = { ranges, succeeded: 0, failed: 0, lines: [], errors: [] };
    for (const [index, rows] of ranges.entries()) {
      const batch: MiniBatch & { rows: RowRange } = {
        job: 'job-1',
        attempt: 1,
        index,
        firstItem: rows.firstRow,
        items: rows.rows,
        rows,
      };
      const names = newPartNames(index);
      const paths = { part: join(parts, names.part), errors: join(parts, names.errors) };
      const scored = await scoreRows(model, { batch, ...paths, runs: 1, columns, form });
      result.succeeded += scored.succeeded;
      result.failed += scored.failed;
      result.lines.push(...linesOf(parts, scored.part));
      result.errors.push(...linesOf(parts, scored.errors).map((line) => JSON.parse(line) as ItemError));
      if (scored.succeeded + scored.failed !== rows.rows) throw new Error('items are lost');
    }
    return result;
  };
  const one = (name: string, content: string | Uint8Array): InputFile => files({ [name]: content })[0] as InputFile;
  const scoreText = (name: string, content: string | Uint8Array, options?: ScoreOptions): Promise<ScoredFile> =>
    score(one(name, content), options);
  return { files, folder, one, score, scoreText };
}

function linesOf(parts: string, part: PartFile | undefined): string[] {
  return part === undefined ? [] : readFileSync(join(parts, part.file), 'utf8').split('\n').slice(0, -1);
}

export function labels({ lines }: Pick<ScoredFile, 'lines'>): number[] {
  return lines.map((line) => (JSON.parse(line) as { label: number }).label);
}
