import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const chunk = Buffer.alloc(4096);
const spareBytes = 256 * 1024;

/** A file system of its own (ext4 on a file), so that a disk can really be full. Linux, and root, because it is mounted. */
export class Volume {
  readonly #folder: string;
  readonly #images = mkdtempSync(join(tmpdir(), 'mooring-volume-'));
  readonly #ballast: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#ballast = join(folder, 'ballast');
  }

  /** Mounts `mib` MiB on `folder`, which is empty. Throws, saying so, where that is not allowed. */
  static mount(folder: string, mib: number): Volume {
    const volume = new Volume(folder);
    const image = join(volume.#images, 'image');
    try {
      writeFileSync(image, '');
      truncateSync(image, mib * 2 ** 20);
      // Nothing is kept back for root, who runs this.
      execFileSync('mkfs.ext4', ['-q', '-F', '-m', '0', image]);
      execFileSync('mount', ['-o', 'loop', image, folder]);
    } catch (cause) {
      rmSync(volume.#images, { recursive: true, force: true });
      throw new Error(`a full disk takes a file system to fill, and none could be mounted (root may)`, { cause });
    }
    return volume;
  }

  /** Whether this user may mount here. */
  static isAllowed(): boolean {
    const folder = mkdtempSync(join(tmpdir(), 'mooring-volume-'));
    try {
      Volume.mount(folder, 8).unmount();
      return true;
    } catch {
      return false;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** Takes every byte that is free. */
  fill(): void {
    const { bavail, bsize } = statfsSync(this.#folder);
    const most = Math.max(0, Number(bavail) * Number(bsize) - spareBytes);
    execFileSync('fallocate', ['--length', String(Math.max(4096, most)), this.#ballast]);
    const rest = openSync(this.#ballast, 'a');
    try {
      for (;;) writeSync(rest, chunk);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOSPC') throw thrown;
    } finally {
      closeSync(rest);
    }
  }

  empty(): void {
    rmSync(this.#ballast, { force: true });
  }

  unmount(): void {
    execFileSync('umount', [this.#folder]);
    rmSync(this.#images, { recursive: true, force: true });
  }
}
