import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { MiniBatch, RowRange } from '@mooring/domain';
import { describe, expect, it } from 'vitest';
import { fileBatch, useRunners } from '../testing.ts';
import { writeFailedPart } from './write-failed-part.ts';

const { folder, files } = useRunners();
const why = { reason: 'ScriptTimedOut', message: 'took 30 s', runs: 4 };

async function sources(parts: string, batch: MiniBatch): Promise<[number, string][]> {
  const { file, lines } = await writeFailedPart(parts, batch, why);
  const text = readFileSync(join(parts, file), 'utf8').trimEnd().split('\n');
  expect(text).toHaveLength(lines);
  const errors = text.map((line) => JSON.parse(line) as { item: number; source: string });
  for (const error of errors) expect(error).toMatchObject(why);
  return errors.map(({ item, source }) => [item, source]);
}

describe('a mini-batch that failed whole', () => {
  it('has a line for each of its files', async () => {
    const batch = fileBatch(files({ 'a.txt': '', 'b/c.txt': '' }), { firstItem: 5 });
    expect(await sources(folder(), batch)).toEqual([
      [5, 'a.txt'],
      [6, 'b/c.txt'],
    ]);
  });

  it('has a line for each of its rows', async () => {
    const [file] = files({ 'r.csv': '' });
    const rows = { file, format: 'csv', firstRow: 100, rows: 2 } as RowRange;
    const batch: MiniBatch = { job: 'j', attempt: 1, index: 1, firstItem: 300, items: 2, rows };
    expect(await sources(folder(), batch)).toEqual([
      [300, 'r.csv#100'],
      [301, 'r.csv#101'],
    ]);
  });

  it('leaves nothing behind where the disk refuses', async () => {
    const parts = join(folder(), 'parts');
    const batch = fileBatch(files({ 'a.txt': '' }), { items: 0 });
    await expect(writeFailedPart(parts, batch, why)).rejects.toMatchObject({ reason: 'PARTS_NOT_WRITTEN' });
    expect(readdirSync(parts)).toEqual([]);
    rmSync(parts, { recursive: true });
  });
});
