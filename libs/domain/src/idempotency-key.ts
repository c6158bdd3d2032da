import { PlatformError } from '@mooring/errors';

const lengthMax = 255;
const printable = /^[\x20-\x7e]+$/;

/** The key as the caller sent it, at `place`. Throws `invalid_argument` when it is none, or there are several. */
export function checkIdempotencyKey(sent: string | readonly string[], place: string): string {
  const [key = '', ...more] = typeof sent === 'string' ? [sent] : sent;
  // Which of them counts would be a guess, and another server on the way may guess otherwise.
  if (more.length > 0) {
    const message = `${place} comes ${more.length + 1} times: send one key`;
    throw new PlatformError('invalid_argument', 'IDEMPOTENCY_KEY_INVALID', message);
  }
  if (key.length <= lengthMax && printable.test(key) && key.trim() !== '') return key;
  const wrong =
    // What gRPC's metadata cannot hold is empty there.
    key.trim() === ''
      ? 'is empty or not ASCII'
      : key.length > lengthMax
        ? `has ${key.length} characters`
        : 'has others than these';
  throw new PlatformError(
    'invalid_argument',
    'IDEMPOTENCY_KEY_INVALID',
    `${place} ${wrong}: it takes 1 to ${lengthMax} printable ASCII characters, such as a random UUID for each request`,
  );
}
