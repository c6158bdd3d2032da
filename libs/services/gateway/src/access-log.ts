import { createWriteStream, type WriteStream } from 'node:fs';
import type { Logger } from 'pino';

/** Lines wait this long at most, so that many share one write. */
const flushMs = 50;
/** Text that may wait for a slow disk; then lines are dropped and counted. */
const waitingBytesMax = 16 * 2 ** 20;
const blockBytes = 64 * 1024;
/** Most bytes that a character of a line can become in UTF-8. */
const bytesPerCharacter = 3;

/** One JSON line for each request, written off the request's path. */
export interface AccessLog {
  write(line: Readonly<Record<string, unknown>>): void;
  /** The same for a line that is JSON already. */
  writeJson(line: string): void;
  /** False when lines are not wanted: then none need be made. */
  readonly wanted: boolean;
  /** Writes what waits. */
  close(): Promise<void>;
}

const off: AccessLog = {
  wanted: false,
  write: () => undefined,
  writeJson: () => undefined,
  close: async () => undefined,
};

/** Opens the log: `off`, `stdout`, or a file that is appended to. */
export function openAccessLog(target: string, log: Logger): AccessLog {
  if (target === 'off') return off;
  // For standard output too: process.stdout writes to pipes and files synchronously and would hold requests up.
  const stream =
    target === 'stdout'
      ? createWriteStream('', { fd: 1, autoClose: false })
      : createWriteStream(target, { flags: 'a', mode: 0o600 });
  return new BatchedLog(stream, log);
}

class BatchedLog implements AccessLog {
  readonly wanted = true;
  readonly #stream: WriteStream;
  /**
   * Lines are put down as bytes at once: as text they would be kept in hundreds of pieces each until the next write, and
   * the garbage collector would have to look at every one.
   */
  #block: Buffer = Buffer.allocUnsafeSlow(blockBytes);
  #used = 0;
  #timer: NodeJS.Timeout | undefined;
  #dropped = 0;
  #failed = false;

  constructor(stream: WriteStream, log: Logger) {
    this.#stream = stream;
    stream.on('error', (error) => {
      if (!this.#failed) log.error({ err: error }, 'the access log cannot be written; requests go on without it');
      this.#failed = true;
    });
  }

  write(line: Readonly<Record<string, unknown>>): void {
    this.writeJson(JSON.stringify(line));
  }

  writeJson(line: string): void {
    if (this.#failed) return;
    if (this.#stream.writableLength + this.#used > waitingBytesMax) {
      this.#dropped += 1;
      return;
    }
    if (this.#dropped > 0) {
      this.#put(`${JSON.stringify({ time: new Date().toISOString(), dropped: this.#dropped })}\n`);
      this.#dropped = 0;
    }
    this.#put(`${line}\n`);
    this.#timer ??= setTimeout(() => this.#flush(), flushMs).unref();
  }

  async close(): Promise<void> {
    this.#flush();
    if (this.#failed) return;
    await new Promise<void>((resolve) => {
      this.#stream.once('error', () => resolve());
      this.#stream.end(() => resolve());
    });
  }

  #put(line: string): void {
    const bytesMax = line.length * bytesPerCharacter;
    if (this.#used + bytesMax > this.#block.length) {
      this.#flush();
      if (bytesMax > this.#block.length) this.#block = Buffer.allocUnsafeSlow(Math.max(blockBytes, bytesMax));
    }
    this.#used += this.#block.write(line, this.#used);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#used === 0 || this.#failed) return;
    this.#stream.write(this.#block.subarray(0, this.#used));
    // The stream still has those bytes; the rest of the block is free.
    this.#block = this.#block.subarray(this.#used);
    this.#used = 0;
  }
}
