import { closeSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Memory where there is such a file system, so that nothing is written to a disk. */
const folders = ['/dev/shm', tmpdir()];
const pageBytes = 32 * 1024;
/** Id of the call that was begun last, bytes of the answers that follow; first id and count of what was taken back; u32, little endian. */
const headBytes = 16;
const recalledAt = 8;
let made = 0;

/**
 * What a worker has done and not said yet. It gathers the answers to short calls to send them together; until they are sent they
 * lie here, where they outlive it. See python/mooring_worker/answers.py.
 */
export class SharedPage {
  /** To be inherited by the worker. */
  readonly fd: number;
  readonly #bytes = Buffer.alloc(pageBytes);
  #closed = false;

  constructor() {
    this.fd = openPage();
  }

  /** The call that was begun last, 0 before the first; undefined when it cannot be read. */
  begunId(): number | undefined {
    if (this.#closed) return undefined;
    try {
      return readSync(this.fd, this.#bytes, 0, 4, 0) === 4 ? this.#bytes.readUInt32LE(0) : undefined;
    } catch {
      return undefined;
    }
  }

  /** The answers that are not sent yet; undefined when they cannot be read, or were written meanwhile. */
  unsent(): Buffer | undefined {
    if (this.#closed) return undefined;
    try {
      const got = readSync(this.fd, this.#bytes, 0, pageBytes, 0);
      const begunId = this.#bytes.readUInt32LE(0);
      const unsentBytes = this.#bytes.readUInt32LE(4);
      if (got < headBytes + unsentBytes) return undefined;
      // A copy: the answers live on.
      const unsent = Buffer.from(this.#bytes.subarray(headBytes, headBytes + unsentBytes));
      readSync(this.fd, this.#bytes, 0, recalledAt, 0);
      // No answer is written before another call is begun.
      const same = this.#bytes.readUInt32LE(0) === begunId && this.#bytes.readUInt32LE(4) === unsentBytes;
      return same ? unsent : undefined;
    } catch {
      return undefined;
    }
  }

  /**
   * Takes calls back: `count` from `firstId` on do not begin any more, unless `begunId` says afterwards that they have. False when
   * that cannot be.
   */
  recall(firstId: number, count: number): boolean {
    if (this.#closed) return false;
    const range = Buffer.alloc(8);
    range.writeUInt32LE(firstId, 0);
    range.writeUInt32LE(count, 4);
    try {
      return writeSync(this.fd, range, 0, range.length, recalledAt) === range.length;
    } catch {
      return false;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.fd);
  }
}

/** A file without a name: it ends with the last who has it. */
function openPage(): number {
  let problem: unknown;
  for (const folder of folders) {
    const path = join(folder, `mooring-page-${process.pid}-${(made += 1)}`);
    let fd: number | undefined;
    try {
      fd = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      ftruncateSync(fd, pageBytes);
      // Written, so that there is room for it: a worker that writes where there is none would be ended.
      writeSync(fd, Buffer.alloc(pageBytes), 0, pageBytes, 0);
      return fd;
    } catch (error) {
      problem = error;
      if (fd !== undefined) closeSync(fd);
    }
  }
  throw problem;
}
