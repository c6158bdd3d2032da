import { closeSync, openSync, readSync, statSync, truncateSync, writeSync } from 'node:fs';

const chunkBytes = 2 ** 20;

/**
 * Keeps a log that another process appends to (O_APPEND) within bounds without a pipe between: when it is larger than
 * `maxBytes`, its newest `maxBytes` become `<file>.1` and it is cut to nothing. Lines written between the copy and the
 * cut are lost; a writer that died or hangs is not needed. Answers whether it cut.
 */
export function capLog(file: string, maxBytes: number): boolean {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= maxBytes) return false;
  copyTail(file, `${file}.1`, size, maxBytes);
  truncateSync(file, 0);
  return true;
}

function copyTail(from: string, to: string, size: number, maxBytes: number): void {
  const source = openSync(from, 'r');
  const target = openSync(to, 'w', 0o600);
  try {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    let position = size - maxBytes;
    while (position < size) {
      const read = readSync(source, chunk, 0, Math.min(chunkBytes, size - position), position);
      if (read === 0) break;
      writeSync(target, chunk, 0, read);
      position += read;
    }
  } finally {
    closeSync(source);
    closeSync(target);
  }
}
