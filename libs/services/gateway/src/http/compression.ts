import { promisify } from 'node:util';
import { constants, deflate, gzip, type InputType, type ZlibOptions } from 'node:zlib';
import { PlatformError } from '@mooring/errors';
import { InflateError, Inflations, type InflateFormat, type Inflation } from '@mooring/overload';
import { tooLarge } from './read-body.ts';

type Codec = (input: InputType, options: ZlibOptions) => Promise<Buffer>;
const gzipAsync = promisify(gzip) as Codec;
const deflateAsync = promisify(deflate) as Codec;

/** One for the process, as are the threads that inflate. */
const inflations = new Inflations();

/**
 * The body without its Content-Encoding, off the event loop. A bomb stops at `bytesMax`, or where `take` has no more room;
 * what `take` throws, and the signal's reason, is thrown on.
 */
export async function decompress(
  body: Buffer,
  encoding: string | undefined,
  within: Omit<Inflation, 'bytes' | 'format'>,
): Promise<Buffer> {
  const name = (encoding ?? '').trim().toLowerCase();
  if (name === '' || name === 'identity') return body;
  const format = formatOf(name, body);
  if (format === undefined) {
    throw new PlatformError(
      'unsupported_media',
      'CONTENT_ENCODING_UNKNOWN',
      'the Content-Encoding is not supported; use gzip or deflate, or none',
    );
  }
  try {
    return await inflations.inflate({ ...within, bytes: body, format });
  } catch (cause) {
    if (!(cause instanceof InflateError)) throw cause;
    if (cause.reason === 'too large') throw tooLarge(within.bytesMax);
    throw new PlatformError(
      'invalid_argument',
      'BODY_NOT_DECOMPRESSIBLE',
      `the body is not what its Content-Encoding (${name}) says`,
      { cause },
    );
  }
}

function formatOf(name: string, body: Buffer): InflateFormat | undefined {
  if (name === 'gzip' || name === 'x-gzip') return 'gzip';
  if (name !== 'deflate') return undefined;
  // "deflate" means zlib, but many clients send the bare stream. A zlib header is a multiple of 31 with method 8.
  const zlib = body.length >= 2 && ((body[0] as number) & 15) === 8 && body.readUInt16BE(0) % 31 === 0;
  return zlib ? 'zlib' : 'raw';
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
