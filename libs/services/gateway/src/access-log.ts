import { createWriteStream, type WriteStream } from 'node:fs';
import type { Logger } from 'pino';

/** Lines wait this long at most, so that many share one write. */
const flushMs = 50;
/** Text that may wait for a slow disk; then lines are dropped and counted. */
const waitingBytesMax = 16 * 2 ** 20;
const flushBytes = 64 * 1024;

/** One JSON line for each request, written off the request's path. */
export interface AccessLog {
  write(line: Readonly<Record<string, unknown>>): void;
  /** Writes what waits. */
  close(): Promise<void>;
}

/** Opens the log: `off`, `stdout`, or a file that is appended to. */
export function openAccessLog(target: string, log: Logger): AccessLog {
  if (target === 'off') return { write: () => undefined, close: async () => undefined };
  // For standard output too: process.stdout writes to pipes and files synchronously and would hold requests up.
  const stream =
    target === 'stdout'
      ? createWriteStream('', { fd: 1, autoClose: false })
      : createWriteStream(target, { flags: 'a', mode: 0o600 });
  return new BatchedLog(stream, log);
}

class BatchedLog implements AccessLog {
  readonly #stream: WriteStream;
  #text = '';
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
    if (this.#failed) return;
    if (this.#stream.writableLength + this.#text.length > waitingBytesMax) {
      this.#dropped += 1;
      return;
    }
    if (this.#dropped > 0) {
      this.#text += `${JSON.stringify({ time: new Date().toISOString(), dropped: this.#dropped })}\n`;
      this.#dropped = 0;
    }
    this.#text += `${JSON.stringify(line)}\n`;
    if (this.#text.length >= flushBytes) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), flushMs).unref();
  }

  async close(): Promise<void> {
    this.#flush();
    if (this.#failed) return;
    await new Promise<void>((resolve) => {
      this.#stream.once('error', () => resolve());
      this.#stream.end(() => resolve());
    });
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#text === '' || this.#failed) return;
    this.#stream.write(this.#text);
    this.#text = '';
  }
}
