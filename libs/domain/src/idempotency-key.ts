import { PlatformError } from '@mooring/errors';

const lengthMax = 255;
const printable = /^[\x20-\x7e]+$/;

/** The key as the caller sent it, at `place`. Throws `invalid_argument` when it is none. */
export function checkIdempotencyKey(key: string, place: string): string {
  if (key.length <= lengthMax && printable.test(key) && key.trim() !== '') return key;
  const wrong =
    key.trim() === '' ? 'is empty' : key.length > lengthMax ? `has ${key.length} characters` : 'has others than these';
  throw new PlatformError(
    'invalid_argument',
    'IDEMPOTENCY_KEY_INVALID',
    `${place} ${wrong}: it takes 1 to ${lengthMax} printable ASCII characters, such as a random UUID for each request`,
  );
}
