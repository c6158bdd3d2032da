import type { PartFile } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';

/** What a mini-batch wrote is not on disk any more as it was committed. A PlatformError, so that the artifact store hands it on as it is. */
export class PartDamaged extends PlatformError {
  readonly index: number;

  constructor(index: number, part: PartFile) {
    const message = `part ${part.file} of mini-batch ${index} is not what was committed: it was changed or damaged on disk`;
    super('internal', 'PART_DAMAGED', message);
    this.index = index;
  }
}
