import type { PartFile } from '@mooring/domain';

/** What a mini-batch wrote is not on disk any more as it was committed. */
export class PartDamaged extends Error {
  readonly index: number;

  constructor(index: number, part: PartFile) {
    super(`part ${part.file} of mini-batch ${index} is not what was committed: it was changed or damaged on disk`);
    this.index = index;
  }
}
