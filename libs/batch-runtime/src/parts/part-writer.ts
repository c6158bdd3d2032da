import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { PartFile } from '@mooring/domain';

const bufferBytes = 256 * 1024;

/** A file of whole lines; made with its first one, hashed on the way. Blocks, and throws what the disk says. */
export class PartWriter {
  readonly #path: string;
  readonly #file: string;
  readonly #hash = createHash('sha256');
  readonly #buffer = Buffer.allocUnsafe(bufferBytes);
  #at = 0;
  #fd = -1;
  #bytes = 0;
  #lines = 0;

  constructor(folder: string, file: string) {
    this.#path = join(folder, file);
    this.#file = file;
  }

  get lines(): number {
    return this.#lines;
  }

  /** `text` ends with a line end and holds `lines` of them. */
  write(text: Uint8Array, lines: number): void {
    this.#lines += lines;
    if (this.#at + text.length > bufferBytes) this.#flush();
    if (text.length > bufferBytes) return this.#put(text);
    this.#buffer.set(text, this.#at);
    this.#at += text.length;
  }

  writeLine(text: string): void {
    this.write(Buffer.from(`${text}\n`), 1);
  }

  /** What was written, on disk now; undefined where nothing was. */
  close(): PartFile | undefined {
    this.#flush();
    if (this.#fd < 0) return undefined;
    fsyncSync(this.#fd);
    this.abandon();
    return { file: this.#file, bytes: this.#bytes, lines: this.#lines, sha256: this.#hash.digest('hex') };
  }

  /** Closes the file, whatever is in it. */
  abandon(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #flush(): void {
    if (this.#at > 0) this.#put(this.#buffer.subarray(0, this.#at));
    this.#at = 0;
  }

  #put(bytes: Uint8Array): void {
    if (this.#fd < 0) this.#fd = openSync(this.#path, 'wx', 0o644);
    for (let from = 0; from < bytes.length;) from += writeSync(this.#fd, bytes, from);
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
  }
}
