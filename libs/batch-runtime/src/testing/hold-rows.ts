/** For spec files: a worker that scores one mini-batch of rows, and says the number of the process that does it. */
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { batchJobDefaults, type RowRange } from '@mooring/domain';
import { createRunner } from '../create-runner.ts';

const { model, folder, rows } = JSON.parse(await text(process.stdin)) as {
  model: string;
  folder: string;
  rows: RowRange;
};
const { signal } = new AbortController();
const runner = createRunner(
  {
    runtime: { kind: 'onnx', file: model },
    environmentVariables: {},
    limits: { cpu: 1, memoryMib: 2_048 },
    warnings: [],
  },
  {
    job: 'job-1',
    partsFolder: `${folder}/parts`,
    workFolder: `${folder}/work`,
    outputFolder: `${folder}/output`,
    settings: batchJobDefaults,
    out: process.stderr,
  },
);
await runner.start(signal);
console.log(readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim());
const batch = { job: 'job-1', attempt: 1, index: 0, firstItem: 0, items: 1, rows };
await runner.run(batch, { timeoutMs: 600_000, signal, runs: 1 });
