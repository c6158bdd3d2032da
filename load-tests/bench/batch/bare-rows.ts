/**
 * Limits, in a process that does nothing else, on one thread: the model over rows that lie in memory as it takes them, one a run and
 * many a run; and over the rows of a folder's files, read, scored and written as one would by hand. Jobs and results go by IPC.
 */
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { loadSession, type OnnxSession } from '@mooring/inference';
import { columns, irisModel, rowOf } from './input.ts';

export type RowsJob = { kind: 'memory'; rowsPerRun: number; durationMs: number } | { kind: 'files'; folder: string };

export interface RowsResult {
  items: number;
  seconds: number;
  cpuSeconds: number;
}

/** `run` gives the items that it did. */
function timed(run: () => number): RowsResult {
  const [from, cpu] = [performance.now(), process.cpuUsage()];
  const items = run();
  const { user, system } = process.cpuUsage(cpu);
  return { items, seconds: (performance.now() - from) / 1_000, cpuSeconds: (user + system) / 1e6 };
}

const blockRows = 4_096;

function memory(session: OnnxSession, rowsPerRun: number, durationMs: number): number {
  const all = Float32Array.from(
    Array.from({ length: blockRows }, (_, index) => Object.values(rowOf(index)).slice(1)).flat(),
  );
  const from = performance.now();
  let rows = 0;
  for (; performance.now() - from < durationMs; rows += rowsPerRun) {
    const first = (rows % blockRows) * columns.length;
    score(session, all.subarray(first, first + rowsPerRun * columns.length), rowsPerRun);
  }
  return rows;
}

function files(session: OnnxSession, folder: string): number {
  const output = `${folder}.bare`;
  const to = openSync(output, 'w');
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const { parentPath, name } of names) {
    const lines = readFileSync(join(parentPath, name), 'utf8').trimEnd().split('\n');
    const values = lines.flatMap((line) => {
      const row = JSON.parse(line) as Record<string, number>;
      return columns.map((column) => row[column] ?? Number.NaN);
    });
    const results = score(session, Float32Array.from(values), lines.length);
    const text = lines.map((_, row) =>
      JSON.stringify(Object.fromEntries(results.map((one) => [one.name, one.row(row)]))),
    );
    writeSync(to, `${text.join('\n')}\n`);
  }
  fsyncSync(to);
  closeSync(to);
  rmSync(output);
  return names.length;
}

function score(session: OnnxSession, elements: Float32Array<ArrayBuffer>, rows: number) {
  const [{ name }] = session.signature.inputs as [OnnxSession['signature']['inputs'][0]];
  const outputs = session.signature.outputs.map((output) => output.name);
  const results = session.run([{ name, datatype: 'FP32', shape: [rows, columns.length], elements }], outputs);
  return results.map((result) => {
    const all = result.elements as ArrayLike<number | bigint | string>;
    const width = all.length / rows;
    return {
      name: result.name,
      row: (at: number) => Array.from({ length: width }, (_, place) => Number(all[at * width + place])),
    };
  });
}

const session = loadSession(irisModel, 1);
process.on('message', (job: RowsJob) => {
  try {
    const result = timed(() =>
      job.kind === 'memory' ? memory(session, job.rowsPerRun, job.durationMs) : files(session, job.folder),
    );
    process.send?.({ result });
  } catch (error) {
    process.send?.({ error: String(error) });
  }
});
process.on('disconnect', () => process.exit(0));
