import type { OpenRequest, OpenResponse } from '@mooring/contracts/auth';
import type { Sealer } from '../secrets/sealer.ts';

export function createOpen(sealer: Sealer) {
  return ({ sealed, purpose }: OpenRequest): OpenResponse => ({ plain: sealer.open(sealed, purpose) });
}
