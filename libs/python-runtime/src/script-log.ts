import type { Readable, Writable } from 'node:stream';
import { lineSplitter } from './log-text.ts';

const lineBytesMax = 16 * 1024;
/** A line without an end (a progress bar, a prompt) appears after this long. */
const quietMs = 500;
const drainWaitMs = 10_000;

/**
 * Copies a script's output line by line to `out`. Reads no faster than `out` takes it, so a flood costs the script time
 * and not this process memory. Resolves when `from` has ended.
 */
export async function copyLines(from: Readable, out: Writable): Promise<void> {
  let lines: string[] = [];
  let quiet: NodeJS.Timeout | undefined;
  const splitter = lineSplitter(lineBytesMax, (line) => lines.push(line));
  const write = (): boolean => {
    if (lines.length === 0) return true;
    const text = `${lines.join('\n')}\n`;
    lines = [];
    return out.write(text);
  };
  const flush = (): void => {
    splitter.flush();
    write();
  };
  try {
    for await (const bytes of from) {
      clearTimeout(quiet);
      splitter.push(bytes as Buffer);
      if (!write()) await drained(out);
      quiet = setTimeout(flush, quietMs);
      quiet.unref();
    }
  } catch {
    // The pipe was destroyed with its process: what came until then has been handed on.
  } finally {
    clearTimeout(quiet);
    flush();
  }
}

/** Waits until `out` takes more; not for ever, because a reader that never reads must not stop the script's requests. */
async function drained(out: Writable): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, drainWaitMs);
  timer.unref();
  for (const event of ['drain', 'error', 'close']) out.once(event, resolve);
  await promise;
  clearTimeout(timer);
  for (const event of ['drain', 'error', 'close']) out.off(event, resolve);
}
