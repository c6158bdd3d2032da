import { cutRows } from '@mooring/batch-runtime';
import type { InputFile, JobRecord, MiniBatch } from '@mooring/domain';

export interface CutOptions {
  /** Rows of one mini-batch, for models that take rows; absent: `miniBatchSize` files make one. */
  rowsPerMiniBatch: number | undefined;
  signal: AbortSignal;
}

/** The job's mini-batches in the order of its files. Holds one mini-batch at a time. */
export async function* cutInput(
  job: Pick<JobRecord, 'name' | 'settings'>,
  files: AsyncIterable<InputFile>,
  { rowsPerMiniBatch, signal }: CutOptions,
): AsyncGenerator<MiniBatch> {
  let [index, firstItem] = [0, 0];
  const batchOf = (items: number, rest: Pick<MiniBatch, 'files' | 'rows'>): MiniBatch => {
    const batch = { job: job.name, attempt: 1, index, firstItem, items, ...rest };
    [index, firstItem] = [index + 1, firstItem + items];
    return batch;
  };
  if (rowsPerMiniBatch === undefined) {
    let group: InputFile[] = [];
    for await (const file of files) {
      group.push(file);
      if (group.length < job.settings.miniBatchSize) continue;
      yield batchOf(group.length, { files: group });
      group = [];
    }
    if (group.length > 0) yield batchOf(group.length, { files: group });
    return;
  }
  for await (const file of files) {
    if (file.problem !== undefined) {
      const { problem } = file;
      yield batchOf(1, { rows: { file, format: 'csv', firstRow: 0, rows: 1, problem } });
      continue;
    }
    for await (const rows of cutRows(file, { rowsPerMiniBatch, signal })) yield batchOf(rows.rows, { rows });
  }
}
