import { expect, it } from 'vitest';
import { faults } from '../../../load-tests/reliability/batch/faults.ts';
import { isSound, lineOf, strikeJobs } from '../../../load-tests/reliability/programs/batch-faults.ts';
import { figure } from './harness.ts';

it('each fault leaves every item of a batch job there once', async () => {
  const once = { count: faults.length, seed: 7, files: 120, longest: 2 };
  const tallies = await strikeJobs(once, new AbortController().signal);
  for (const tally of tallies) figure(lineOf(tally));
  expect(tallies).toHaveLength(faults.length);
  expect(tallies.filter((tally) => !isSound(tally))).toEqual([]);
});
