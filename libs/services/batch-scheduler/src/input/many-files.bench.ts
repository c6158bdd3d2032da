/**
 * `node --expose-gc many-files.bench.ts [files [files in a folder]]`: lists so many empty files (1,000,000 in one folder unless told
 * otherwise) and cuts them into mini-batches, as for a job; prints how much larger this process became, and how long it took.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jobFiles } from '@mooring/batch-jobs';
import { batchJobDefaults, type JobRecord } from '@mooring/domain';
import { prepareInput } from './prepare-input.ts';

const files = Number(process.argv[2] ?? 1_000_000);
const inFolder = Number(process.argv[3] ?? files);
const sampleMs = 5;
/** With the number of files it has no common factor, so that they are not made in their order. */
const stride = 7_919;

const work = mkdtempSync(join(tmpdir(), 'mooring-many-'));
const residentMib = (): number => process.memoryUsage.rss() / 2 ** 20;

try {
  const root = join(work, 'input');
  for (let made = 0; made < files; made += 1) {
    const folder = join(root, `part-${Math.floor(made / inFolder)}`);
    if (made % inFolder === 0) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `photo-${String((made * stride) % inFolder).padStart(7, '0')}.jpg`), '');
  }
  const job = { name: 'many', input: { uri: 'many' }, settings: batchJobDefaults } as unknown as JobRecord;
  globalThis.gc?.();
  const before = residentMib();
  let most = before;
  const sampling = setInterval(() => (most = Math.max(most, residentMib())), sampleMs);
  const beganMs = performance.now();
  const signal = new AbortController().signal;
  const listing = await prepareInput(job, { root }, jobFiles(work, job.name), { rowsPerMiniBatch: undefined, signal });
  const tookS = (performance.now() - beganMs) / 1_000;
  clearInterval(sampling);
  process.stdout.write(
    `FIGURE listing ${listing.files} files, ${inFolder} in a folder: ${listing.miniBatches} mini-batches in ${tookS.toFixed(1)} s, ` +
      `resident memory ${before.toFixed(0)} MiB, at most ${(most - before).toFixed(0)} MiB more\n`,
  );
} finally {
  rmSync(work, { recursive: true, force: true });
}
