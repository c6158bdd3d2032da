import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { constants, createGunzip, createZstdDecompress } from 'node:zlib';
import type { RowRange } from '@mooring/domain';
import { badFile, FileProblem } from './file-problem.ts';

/** The bytes of a file, decompressed, one behind the other. */
export interface ByteReader {
  /** Fills `into` from its begin; resolves with the number of bytes, 0 at the end. Rejects with FileProblem or what the system says. */
  read(into: Buffer): Promise<number>;
  /** The file stays open. */
  close(): void;
}

/** Bytes `start` to `end` of a file. */
export function plainReader(handle: FileHandle, start: number, end: number): ByteReader {
  let at = start;
  return {
    read: async (into) => {
      if (at >= end) return 0;
      const { bytesRead } = await handle.read(into, 0, Math.min(into.length, end - at), at);
      // As listed it went on to `end`.
      if (bytesRead === 0) throw new FileProblem('FileChanged', 'has become shorter while it was read');
      at += bytesRead;
      return bytesRead;
    },
    close: () => undefined,
  };
}

/** A file that grows more than this when it is decompressed holds nothing that anybody measured. */
const growthMax = 200;
/** Up to here any growth is taken. */
const freeBytes = 16 * 2 ** 20;
const chunkBytes = 256 * 1024;
/** Memory that decompression may ask for: windows of 128 MiB. */
const windowLogMax = 27;

/** All bytes of a compressed file, of all its frames; holds a chunk of them at a time. */
export function compressedReader(
  handle: FileHandle,
  compression: NonNullable<RowRange['compression']>,
  fileBytes: number,
): ByteReader {
  let frames = decompress(handle, compression, 0);
  /** Where the frames begin that are read now. */
  let from = 0;
  let chunk: Buffer = Buffer.alloc(0);
  let total = 0;
  const next = async (): Promise<boolean> => {
    const result = await frames.chunks.next().catch((thrown: unknown) => {
      throw asProblem(thrown, compression);
    });
    if (result.done === true) {
      from += frames.taken();
      frames.close();
      if (from >= fileBytes) return false;
      // Node's zstd ends with the first frame, and its gunzip with what is no further member.
      if (compression === 'gzip') return await onlyZeros(handle, from);
      frames = decompress(handle, compression, from);
      return true;
    }
    chunk = result.value;
    total += chunk.length;
    if (total > freeBytes && total > fileBytes * growthMax) {
      throw badFile(
        `becomes more than ${growthMax} times as large when it is decompressed; give it to the job decompressed`,
      );
    }
    return true;
  };
  return {
    read: async (into) => {
      while (chunk.length === 0) if (!(await next())) return 0;
      const bytes = chunk.copy(into);
      chunk = chunk.subarray(bytes);
      return bytes;
    },
    close: () => frames.close(),
  };
}

interface Frames {
  chunks: AsyncIterator<Buffer>;
  /** Bytes of the file that were decompressed. */
  taken(): number;
  close(): void;
}

function decompress(handle: FileHandle, compression: NonNullable<RowRange['compression']>, from: number): Frames {
  const source = Readable.from(chunksOf(handle, from), { objectMode: false });
  const stream =
    compression === 'gzip'
      ? createGunzip({ chunkSize: chunkBytes })
      : createZstdDecompress({ chunkSize: chunkBytes, params: { [constants.ZSTD_d_windowLogMax]: windowLogMax } });
  source.on('error', (error) => stream.destroy(error));
  source.pipe(stream);
  return {
    chunks: (stream as AsyncIterable<Buffer>)[Symbol.asyncIterator](),
    taken: () => stream.bytesWritten,
    close: () => {
      source.destroy();
      stream.destroy();
    },
  };
}

/** What fills the last block of a tape is nothing; anything else would be rows that nobody sees. Resolves with false. */
async function onlyZeros(handle: FileHandle, from: number): Promise<false> {
  for await (const bytes of chunksOf(handle, from)) {
    if (bytes.some((byte) => byte !== 0)) throw badFile('is damaged: there is more behind the end of its gzip data');
  }
  return false;
}

/** Not the handle's own stream, which closes the file with itself. */
async function* chunksOf(handle: FileHandle, from: number): AsyncGenerator<Buffer> {
  for (let at = from; ;) {
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

function asProblem(thrown: unknown, compression: string): unknown {
  const code = String((thrown as NodeJS.ErrnoException).code);
  const ofStream = code.startsWith('Z_') || code.startsWith('ZSTD_') || code.startsWith('ERR_');
  if (!ofStream) return thrown;
  const words = thrown instanceof Error ? thrown.message : String(thrown);
  return badFile(`is damaged, or no ${compression} file: ${words}`);
}
