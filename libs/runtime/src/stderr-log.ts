import { write, writeSync } from 'node:fs';
import { pino, type Logger, type LoggerOptions } from 'pino';

const stderr = 2;
/** What waits at most to be written; further lines are dropped. */
const waitingCharactersMax = 4 * 2 ** 20;
/** Of a pipe that is full. */
const retryMs = 50;

/**
 * A log on stderr as JSON lines, written beside the process's work and many at a time. What cannot be written, because the disk behind
 * it is full, is lost; pino's own destination would end the process.
 */
export function stderrLog(options: LoggerOptions): Logger {
  const lines = new Lines();
  process.once('exit', () => lines.end());
  return pino(options, lines);
}

class Lines {
  #waiting: string[] = [];
  #waitingCharacters = 0;
  #busy = false;

  write(line: string): void {
    if (this.#waitingCharacters + line.length > waitingCharactersMax) return;
    this.#waiting.push(line);
    this.#waitingCharacters += line.length;
    if (this.#busy) return;
    this.#busy = true;
    // All lines of a turn at once, and whatever is said before an exit in the same turn is written by `end`.
    setImmediate(() => this.#put(this.#take()));
  }

  /** Writes what waits, at once. */
  end(): void {
    try {
      writeSync(stderr, this.#take());
    } catch {
      // It is lost.
    }
  }

  #take(): Buffer {
    const bytes = Buffer.from(this.#waiting.join(''));
    [this.#waiting, this.#waitingCharacters] = [[], 0];
    return bytes;
  }

  #put(bytes: Buffer): void {
    this.#busy = bytes.length > 0;
    if (!this.#busy) return;
    write(stderr, bytes, (error, written) => {
      if (error?.code === 'EAGAIN') setTimeout(() => this.#put(bytes), retryMs);
      else if (error === null && written < bytes.length) this.#put(bytes.subarray(written));
      else this.#put(this.#take());
    });
  }
}
