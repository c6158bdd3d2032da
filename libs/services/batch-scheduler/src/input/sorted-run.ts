import { randomUUID } from 'node:crypto';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';

/** What no name of a file holds. */
const separator = '/';
const blockBytes = 16 * 1024;
const writtenUnits = 256 * 1024;

/** Sorted names, put aside in a file that has no name any more: whatever becomes of this process, nothing is left of it. */
export class SortedRun {
  readonly #file: FileHandle;
  readonly #decoder = new StringDecoder('utf8');
  #position = 0;
  #rest = '';
  #read: string[] = [];
  #next = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Rejects where the disk does. */
  static async write(folder: string, names: Iterable<string> | AsyncIterable<string>): Promise<SortedRun> {
    const path = join(folder, `${randomUUID()}.names`);
    const file = await open(path, 'wx+', 0o600);
    try {
      await rm(path);
      let waiting = '';
      for await (const name of names) {
        waiting += name + separator;
        if (waiting.length < writtenUnits) continue;
        await file.writeFile(waiting);
        waiting = '';
      }
      await file.writeFile(waiting);
      const run = new SortedRun(file);
      await run.#fill();
      return run;
    } catch (thrown) {
      await file.close();
      throw thrown;
    }
  }

  /** Undefined once there is none left. */
  get head(): string | undefined {
    return this.#read[this.#next];
  }

  async advance(): Promise<void> {
    this.#next += 1;
    if (this.#next >= this.#read.length) await this.#fill();
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #fill(): Promise<void> {
    [this.#read, this.#next] = [[], 0];
    while (this.#read.length === 0) {
      const { bytesRead, buffer } = await this.#file.read(Buffer.alloc(blockBytes), 0, blockBytes, this.#position);
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      const names = (this.#rest + this.#decoder.write(buffer.subarray(0, bytesRead))).split(separator);
      this.#rest = names.pop() ?? '';
      this.#read = names;
    }
  }
}
