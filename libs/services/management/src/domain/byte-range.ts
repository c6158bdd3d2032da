import { PlatformError } from '@mooring/errors';

/** First and last byte, counted from 0, inclusive. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * Reads `bytes=0-99`, `bytes=100-` or `bytes=-100` of content with `size` bytes. Undefined when none is asked for or it
 * is not understood (then everything is sent, as HTTP has it). Throws `invalid_argument` / INVALID_RANGE beyond the end.
 */
export function readRange(header: string | undefined, size: number): ByteRange | undefined {
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (start >= size || start > end) {
    throw new PlatformError('invalid_argument', 'INVALID_RANGE', `the content has ${size} bytes`);
  }
  return { start, end };
}
