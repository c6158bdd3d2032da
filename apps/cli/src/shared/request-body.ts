import { open } from 'node:fs/promises';
import { PlatformError } from '@mooring/errors';

/** The most that any deployment can be set to take (`mooring.max-request-bytes`). */
const bodyBytesMax = 2 ** 30;

/** The bytes of a file that is to be sent. Pipes are read to their end; folders and devices are refused. */
export async function readRequestFile(file: string): Promise<Buffer<ArrayBuffer>> {
  try {
    const handle = await open(file);
    try {
      const found = await handle.stat();
      if (found.isDirectory()) throw unreadable(file, 'it is a folder');
      if (found.isCharacterDevice() || found.isBlockDevice()) throw unreadable(file, 'it is a device');
      return await gathered(handle.createReadStream({ autoClose: false }), file);
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    if (thrown instanceof PlatformError) throw thrown;
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') throw unreadable(file, 'there is no such file', thrown);
    throw unreadable(file, code === 'EACCES' ? 'it may not be read' : (code ?? 'unknown error'), thrown);
  }
}

/** All bytes of a stream. Throws PlatformError `too_large` beyond what any deployment takes. */
export async function gathered(stream: AsyncIterable<unknown>, what: string): Promise<Buffer<ArrayBuffer>> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of stream) {
    parts.push(part as Buffer);
    bytes += (part as Buffer).byteLength;
    if (bytes > bodyBytesMax) {
      const message = `${what} has more than ${bodyBytesMax} bytes, which is more than any deployment takes`;
      throw new PlatformError('too_large', 'REQUEST_TOO_LARGE', message);
    }
  }
  return Buffer.concat(parts);
}

function unreadable(file: string, why: string, cause?: unknown): PlatformError {
  const missing = (cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
  const shown = file.slice(0, 300);
  return new PlatformError(
    missing ? 'not_found' : 'invalid_argument',
    'FILE_NOT_FOUND',
    `cannot read ${shown}: ${why}`,
    { cause },
  );
}
