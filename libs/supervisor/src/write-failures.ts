import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';

const checkMs = 2_000;
const readBytesMax = 256 * 1024;
/** What there must be room for before another start is worth it. */
const roomBytes = 2 ** 20;
/** What nats-server writes of a stream whose file took no more, and goes on writing whenever somebody wants to store something in it. */
const failure = /critical write error|no space left on device|disk quota exceeded|resources, will be disabled/i;

export interface WriteFailuresOptions {
  /** Of nats-server: its files, and `nats.log`. */
  dataDir: string;
  log: Logger;
  /** Starts nats-server again. */
  mend(): Promise<void>;
}

/**
 * A stream of nats-server that could not be written to once stores nothing more until the server starts again, though the disk may long
 * have room by then. Sees such failures in its log and has it started again as soon as files can be written. Gives what ends this.
 */
export async function mendWriteFailures({ dataDir, log, mend }: WriteFailuresOptions): Promise<() => void> {
  const file = join(dataDir, 'nats.log');
  let read = await sizeOf(file);
  let failed = false;
  let busy = false;
  const check = async (): Promise<void> => {
    const size = await sizeOf(file);
    if (size !== read) failed ||= failure.test(await newest(file, size < read ? 0 : read, size));
    read = size;
    if (!failed || !(await hasRoom(dataDir))) return;
    log.error('nats-server could not write its files, and stores nothing more by itself; starting it again');
    await mend();
    failed = false;
    read = await sizeOf(file);
  };
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    void check()
      .catch((error: unknown) => log.error({ err: error }, 'nats-server could not be mended; trying again'))
      .finally(() => (busy = false));
  }, checkMs).unref();
  return () => clearInterval(timer);
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

async function newest(path: string, from: number, to: number): Promise<string> {
  const start = Math.max(from, to - readBytesMax);
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(to - start), 0, to - start, start);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

async function hasRoom(folder: string): Promise<boolean> {
  const trial = join(folder, 'room.tmp');
  try {
    const file = await open(trial, 'w', 0o600);
    try {
      await file.writeFile(Buffer.alloc(roomBytes));
      await file.sync();
    } finally {
      await file.close();
    }
    return true;
  } catch {
    return false;
  } finally {
    await rm(trial, { force: true }).catch(() => undefined);
  }
}
