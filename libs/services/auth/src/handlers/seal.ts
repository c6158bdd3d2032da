import type { SealRequest, SealResponse } from '@mooring/contracts/auth';
import { PlatformError } from '@mooring/errors';
import type { Sealer } from '../secrets/sealer.ts';

/** Secrets are small; what is larger belongs into the artifact store. */
const plainBytesMax = 4 * 2 ** 20;

export function createSeal(sealer: Sealer) {
  return ({ plain, purpose }: SealRequest): SealResponse => {
    if (purpose === '') {
      throw PlatformError.invalid('seal', [
        { path: 'purpose', problem: 'is empty', expected: 'what the secret is for' },
      ]);
    }
    if (plain.byteLength > plainBytesMax) {
      throw new PlatformError(
        'too_large',
        'SECRET_TOO_LARGE',
        `a secret of ${plain.byteLength} bytes cannot be sealed; at most ${plainBytesMax}`,
      );
    }
    return { sealed: sealer.seal(plain, purpose) };
  };
}
