import { expect, it } from 'vitest';
import { verificationShape, verificationText } from './verification-text.ts';

const found = {
  job: 'night-1',
  ok: true,
  items: { in: 200, succeeded: 190, failed: 9, skipped: 1 },
  miniBatches: 20,
  missing: 0,
  twice: 0,
  filesRead: 4,
  bytesRead: 1234,
  problems: [],
  notes: [],
};

it('says what was proven, and each thing that is wrong', () => {
  expect(verificationText(found)).toBe(
    `night-1: proven
  200 items in = 190 succeeded + 9 failed + 1 skipped
  0 missing, 0 twice
  read: 20 mini-batches, 4 files, 1234 bytes`,
  );
  const wrong = verificationText({ ...found, ok: false, miniBatches: 1, problems: ['predictions.csv cannot be read'] });
  const noted = verificationText({ ...found, notes: ['its records were removed'] });
  expect(noted).toMatch(/^night-1: proven\n(.*\n)* {2}note: its records were removed$/);
  expect(wrong).toMatch(/^night-1: NOT proven\n/);
  expect(verificationText({ ...found, notes: ['removed'] })).toMatch(/bytes\n {2}note: removed$/);
  expect(wrong).toMatch(/1 mini-batch, .*\n {2}wrong: predictions\.csv cannot be read$/);
});

it('has the field names of everything else that is printed', () => {
  const { miniBatches: mini_batches, filesRead: files_read, bytesRead: bytes_read, ...rest } = found;
  expect(verificationShape(found)).toEqual({ ...rest, mini_batches, files_read, bytes_read });
});
