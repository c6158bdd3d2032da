import { expect, it } from 'vitest';
import { faults, fullDisk } from '../../../load-tests/reliability/batch/faults.ts';
import { Volume } from '../../../load-tests/reliability/batch/volume.ts';
import { isSound, lineOf, strikeJobs } from '../../../load-tests/reliability/programs/batch-faults.ts';
import { figure } from './harness.ts';

it('each fault leaves every item of a batch job there once', async () => {
  const canFill = Volume.isAllowed();
  if (!canFill) figure('batch full-disk: left out, because no file system may be mounted here');
  const chosen = faults.filter((fault) => canFill || fault !== fullDisk);
  const once = { count: chosen.length, seed: 7, files: 120, longest: 2, chosen };
  const tallies = await strikeJobs(once, new AbortController().signal);
  for (const tally of tallies) figure(lineOf(tally));
  expect(tallies).toHaveLength(chosen.length);
  expect(tallies.filter((tally) => !isSound(tally))).toEqual([]);
});
