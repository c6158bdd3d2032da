import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';

const readBytesMax = 4 * 2 ** 20;

/**
 * The last `count` lines of a log and its earlier part (`<file>.1`), oldest first; at most the last 4 MiB are looked at.
 * An absent log has no lines.
 */
export function lastLines(file: string, count: number): string[] {
  const lines = linesOf(readEnd(file, readBytesMax));
  if (lines.length < count && existsSync(`${file}.1`)) lines.unshift(...linesOf(readEnd(`${file}.1`, readBytesMax)));
  return lines.slice(-count);
}

function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function readEnd(file: string, bytesMax: number): string {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch {
    return '';
  }
  try {
    const size = fstatSync(descriptor).size;
    const start = Math.max(0, size - bytesMax);
    const buffer = Buffer.alloc(size - start);
    const read = readSync(descriptor, buffer, 0, buffer.length, start);
    return buffer.toString('utf8', 0, read);
  } finally {
    closeSync(descriptor);
  }
}
