import { expect, it } from 'vitest';
import { laterProblem, refusal } from './index.ts';

it('is for later only when nothing else is wrong', () => {
  const later = laterProblem('a', 'b');
  expect(refusal('x', [later])).toMatchObject({ code: 'unimplemented', reason: 'NOT_SUPPORTED_YET' });
  const wrong = refusal('x', [later, { path: 'c', problem: 'is missing' }]);
  expect(wrong).toMatchObject({ code: 'invalid_argument', reason: 'VALIDATION_FAILED' });
  expect(wrong.problems).toEqual([
    { path: 'a', problem: 'asks for b, which comes with a later version of Mooring' },
    { path: 'c', problem: 'is missing' },
  ]);
});

it('stays small whatever the caller wrote', () => {
  const many = Array.from({ length: 5_000 }, () => ({ path: 'p'.repeat(10_000), problem: 'q'.repeat(10_000) }));
  expect(refusal('x', many).message.length).toBeLessThan(200_000);
});
