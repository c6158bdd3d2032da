import { badFile } from '../input/file-problem.ts';
import type { RowLines } from '../input/row-lines.ts';

/** Names are kept with every range of the file; a row with more of them is read by their names all the same. */
const namesBytesMax = 2 ** 20;

/** Names of the members of a row that is an object; undefined where it is none, or no JSON. */
export function columnsOfLine({ buffer, start, end, tooLong }: RowLines): string[] | 'array' | undefined {
  if (tooLong) return undefined;
  const value = parsed(buffer.toString('utf8', start, end));
  if (Array.isArray(value)) return 'array';
  if (typeof value !== 'object' || value === null) return undefined;
  const names = Object.keys(value);
  return names.reduce((bytes, name) => bytes + name.length, 0) > namesBytesMax ? undefined : names;
}

/** Throws FileProblem where a .json file is one document over many lines: each of them would be a bad row. */
export function checkDocument(path: string, { buffer, start, end }: RowLines): void {
  if (!/\.json(\.\w+)?$/i.test(path) || end - start > 16) return;
  const first = buffer.toString('latin1', start, end).trim();
  if (first === '[' || first === '{') throw badFile('is one JSON document; a row is one line of JSON (JSON lines)');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
