import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { miniBatchesBucket, type MiniBatchRecord } from '@mooring/domain';
import { startTestNats, tempDir, type TestNats } from '@mooring/testing';
import { commit, jobFiles, makeJobFolders, outputsOfPart, recordKey, type MiniBatchRecords } from './index.ts';

const folder = tempDir('commit-');
let server: TestNats;
let records: MiniBatchRecords;
beforeAll(async () => {
  server = await startTestNats();
  records = await (await server.connect()).bucket<MiniBatchRecord>(miniBatchesBucket);
});
afterAll(async () => {
  await server.stop();
  folder.remove();
});

/** A run of a command that has ended and is to be counted. */
function ran(job: string, worker: string): MiniBatchRecord {
  const files = jobFiles(folder.path, job);
  const part = { file: `0.${worker}.part`, bytes: 2, lines: 1, sha256: '' };
  writeFileSync(join(files.parts, part.file), '{}');
  mkdirSync(join(outputsOfPart(files, part), 'clean'), { recursive: true });
  writeFileSync(join(outputsOfPart(files, part), 'clean/a.txt'), worker);
  const at = new Date().toISOString();
  const counts = { index: 0, attempt: 1, items: 1, succeeded: 1, failed: 0, skipped: 0, runs: 1 };
  return { ...counts, part, worker, startedAt: at, endedAt: at };
}

it('of two runs of one command the first counts, and nothing of the other is left', async () => {
  const job = 'night:tidy';
  const files = jobFiles(folder.path, job);
  await makeJobFolders(files);
  const runs = Array.from({ length: 8 }, (_, index) => ran(job, `w${index}`));
  const counted = await Promise.all(runs.map((run) => commit(records, job, files, run)));
  expect(counted.filter(Boolean)).toHaveLength(1);
  const winner = (await records.get(recordKey(job, 0)))?.value.worker;
  for (const { part, worker } of runs) {
    const there = part !== undefined && existsSync(join(outputsOfPart(files, part), 'clean/a.txt'));
    expect([worker, there]).toEqual([worker, worker === winner]);
    expect(existsSync(join(files.parts, part?.file ?? ''))).toBe(worker === winner);
  }
  // Said once more, because the answer was lost, it is the same one.
  const again = runs.find(({ worker }) => worker === winner) as MiniBatchRecord;
  expect(await commit(records, job, files, again)).toBe(true);
  expect(existsSync(outputsOfPart(files, again.part ?? { file: '' }))).toBe(true);
});
