import { promisify } from 'node:util';
import { constants, deflate, gunzip, gzip, inflate, inflateRaw, type InputType, type ZlibOptions } from 'node:zlib';
import { PlatformError } from '@mooring/errors';
import { tooLarge } from './read-body.ts';

type Codec = (input: InputType, options: ZlibOptions) => Promise<Buffer>;
const gunzipAsync = promisify(gunzip) as Codec;
const inflateAsync = promisify(inflate) as Codec;
const inflateRawAsync = promisify(inflateRaw) as Codec;
const gzipAsync = promisify(gzip) as Codec;
const deflateAsync = promisify(deflate) as Codec;

/** The body without its Content-Encoding, off the event loop. A bomb stops at `bytesMax`. */
export async function decompress(body: Buffer, encoding: string | undefined, bytesMax: number): Promise<Buffer> {
  const name = (encoding ?? '').trim().toLowerCase();
  if (name === '' || name === 'identity') return body;
  const codec = decoderOf(name, body);
  if (codec === undefined) {
    throw new PlatformError(
      'unsupported_media',
      'CONTENT_ENCODING_UNKNOWN',
      'the Content-Encoding is not supported; use gzip or deflate, or none',
    );
  }
  try {
    return await codec(body, { maxOutputLength: bytesMax });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(bytesMax);
    throw new PlatformError(
      'invalid_argument',
      'BODY_NOT_DECOMPRESSIBLE',
      `the body is not what its Content-Encoding (${name}) says`,
      { cause },
    );
  }
}

function decoderOf(name: string, body: Buffer): Codec | undefined {
  if (name === 'gzip' || name === 'x-gzip') return gunzipAsync;
  if (name !== 'deflate') return undefined;
  // "deflate" means zlib, but many clients send the bare stream. A zlib header is a multiple of 31 with method 8.
  const zlib = body.length >= 2 && ((body[0] as number) & 15) === 8 && body.readUInt16BE(0) % 31 === 0;
  return zlib ? inflateAsync : inflateRawAsync;
}

/** Bodies below this size grow or hardly shrink, and cost CPU. */
export const compressMinBytes = 1024;

export type ResponseEncoding = 'gzip' | 'deflate';

/** What the caller accepts and we can make, gzip first; undefined for none. */
export function chooseEncoding(acceptEncoding: string | undefined): ResponseEncoding | undefined {
  if (acceptEncoding === undefined) return undefined;
  const accepted = new Map<string, number>();
  for (const part of acceptEncoding.toLowerCase().slice(0, 500).split(',')) {
    const [name = '', ...parameters] = part.split(';').map((piece) => piece.trim());
    const quality = parameters.find((parameter) => parameter.startsWith('q='));
    accepted.set(name, quality === undefined ? 1 : Number(quality.slice(2)) || 0);
  }
  const gzipQuality = accepted.get('gzip') ?? accepted.get('*') ?? 0;
  const deflateQuality = accepted.get('deflate') ?? 0;
  if (gzipQuality <= 0 && deflateQuality <= 0) return undefined;
  return gzipQuality >= deflateQuality ? 'gzip' : 'deflate';
}

/** Level 1: on JSON of tensors the higher levels save a tenth more at several times the CPU. */
const options: ZlibOptions = { level: constants.Z_BEST_SPEED };

export function compress(body: Buffer, encoding: ResponseEncoding): Promise<Buffer> {
  return encoding === 'gzip' ? gzipAsync(body, options) : deflateAsync(body, options);
}
