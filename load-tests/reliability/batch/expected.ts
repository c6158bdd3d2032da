import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ItemError, JobRecord } from '@mooring/domain';

/** Of every so many files the script gives no line. */
const oneInFails = 29;

/** Items that the outputs do not have, have more often than once, or have otherwise than they should be. */
export interface Differences {
  missing: number;
  twice: number;
  wrong: number;
}

const nameOf = (index: number): string => `${String(index).padStart(6, '0')}.txt`;
const fails = (index: number): boolean => index % oneInFails === oneInFails - 1;
const textOf = (index: number): string => (fails(index) ? 'none' : `text of ${index}`);

/** Files of an input, in folders of a thousand. */
export function writeInput(folder: string, files: number): void {
  for (let index = 0; index < files; index += 1) {
    const below = join(folder, String(Math.floor(index / 1_000)).padStart(4, '0'));
    if (index % 1_000 === 0) mkdirSync(below, { recursive: true });
    writeFileSync(join(below, nameOf(index)), textOf(index));
  }
}

/** Compares what a job over `files` such files wrote, line by line and in order, without asking anybody what it should be. */
export function compareOutput(artifacts: string, { output, settings }: JobRecord, files: number): Differences {
  const folder = join(artifacts, output.container, output.folder);
  const all = Array.from({ length: files }, (_, index) => index);
  const lines = linesOf(join(folder, settings.outputFileName));
  const good = compare(
    lines,
    all.filter((index) => !fails(index)).map((index) => `${nameOf(index)},${textOf(index)}`),
  );
  const errors = linesOf(join(folder, 'errors.jsonl')).map((line) => JSON.parse(line) as ItemError);
  const bad = compare(
    errors.map(({ item, reason }) => `${item} ${reason}`),
    all.filter(fails).map((index) => `${index} ScriptReturnedFewer`),
  );
  return { missing: good.missing + bad.missing, twice: good.twice + bad.twice, wrong: good.wrong + bad.wrong };
}

export function isNothing({ missing, twice, wrong }: Differences): boolean {
  return missing + twice + wrong === 0;
}

/** A line of a job's `parts.jsonl`, as far as it is looked at here. */
export interface Part {
  items: number;
  succeeded: number;
}

/** The mini-batches that a job that has ended says something of; none where it ended before it wrote any. */
export function partsOf(artifacts: string, { output }: JobRecord): Part[] {
  const lines = linesOf(join(artifacts, output.container, output.folder, 'parts.jsonl'));
  return lines.map((line) => JSON.parse(line) as Part);
}

function compare(found: readonly string[], expected: readonly string[]): Differences {
  const counts = new Map<string, number>();
  for (const line of found) counts.set(line, (counts.get(line) ?? 0) + 1);
  const missing = expected.filter((line) => !counts.has(line)).length;
  const known = new Set(expected);
  const twice = [...counts].reduce((sum, [line, count]) => sum + (known.has(line) ? count - 1 : 0), 0);
  const foreign = found.filter((line) => !known.has(line)).length;
  // Out of order counts where nothing else is wrong.
  const inPlace = found.every((line, index) => line === expected[index]);
  const wrong = missing + twice + foreign === 0 && !inPlace ? 1 : foreign;
  return { missing, twice, wrong };
}

function linesOf(path: string): string[] {
  // A job that failed before it ran wrote none.
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
}
