/**
 * `node rows.bench.ts [rows]`: rows a second of JSON lines from the file to the part on disk, in mini-batches of 10,000, beside bare loops
 * of the same model in the same process: a run for each row, runs of as many rows as ours have, and what one would write by hand (JSON.parse
 * of each line, a run of those rows, JSON.stringify). Medians of interleaved rounds, CPU of this process.
 */
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadSession, type OnnxSession } from '@mooring/inference';
import type { RowRange } from '@mooring/domain';
import { cutRows } from '../cut/cut-rows.ts';
import { openRowModel } from './row-model.ts';
import { scoreRows } from './score-rows.ts';

const rows = Number(process.argv[2] ?? 1_000_000);
const rounds = 3;
const rowsPerRun = 512;
/** Different rows, which come again. */
const blockRows = 10_000;
const folder = mkdtempSync(join(tmpdir(), 'mooring-rows-'));
const names = ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'];

const kinds: Readonly<Record<string, { model: string; rowOf(index: number): unknown; columns?: string[] }>> = {
  iris: {
    model: 'iris-onnx',
    columns: names,
    rowOf: (index) => Object.fromEntries([['id', index], ...names.map((name, at) => [name, valueOf(index, at, 8)])]),
  },
  digits: {
    model: 'digits-mlp-onnx',
    rowOf: (index) => Array.from({ length: 64 }, (_, at) => (valueOf(index, at, 2) > 1 ? 0 : (index + at * 7) % 17)),
  },
};

function valueOf(index: number, at: number, scale: number): number {
  return Math.round(Math.abs(Math.sin(index * 78.233 + at)) * scale * 1_000) / 1_000;
}

function writeInput(path: string, rowOf: (index: number) => unknown): void {
  const block = Array.from({ length: blockRows }, (_, index) => `${JSON.stringify(rowOf(index))}\n`).join('');
  writeFileSync(path, '');
  for (let written = 0; written < rows; written += blockRows) appendFileSync(path, block);
}

type Loop = () => Promise<void> | void;

interface Figure {
  wallUs: number;
  cpuUs: number;
}

async function measure(loop: Loop): Promise<Figure> {
  const before = process.cpuUsage();
  const from = performance.now();
  await loop();
  const { user, system } = process.cpuUsage(before);
  return { wallUs: ((performance.now() - from) * 1_000) / rows, cpuUs: (user + system) / rows };
}

/** Over the rows of the file, which are in memory as the model takes them. */
function bare(session: OnnxSession, perRun: number, valuesOf: (index: number) => number[]): Loop {
  const [{ name, shape }] = session.signature.inputs as [OnnxSession['signature']['inputs'][0]];
  const outputs = session.signature.outputs.map((output) => output.name);
  const all = Float32Array.from(Array.from({ length: blockRows }, (_, index) => valuesOf(index)).flat());
  const width = all.length / blockRows;
  const own = [perRun, ...(shape.slice(1) as number[])];
  const starts = Array.from({ length: Math.floor(blockRows / perRun) }, (_, run) => run * perRun * width);
  return () => {
    for (let run = 0; run * perRun < rows; run++) {
      const from = starts[run % starts.length] as number;
      session.run(
        [{ name, datatype: 'FP32', shape: own, elements: all.subarray(from, from + perRun * width) }],
        outputs,
      );
    }
  };
}

function byHand(session: OnnxSession, path: string, columns: string[] | undefined): Loop {
  const [{ name, shape }] = session.signature.inputs as [OnnxSession['signature']['inputs'][0]];
  const outputs = session.signature.outputs.map((output) => output.name);
  const score = (lines: string[], to: number): void => {
    const values = lines.map((line) => JSON.parse(line) as number[] | Record<string, number>);
    const elements = Float32Array.from(
      values.flatMap((value) =>
        columns === undefined
          ? (value as number[])
          : columns.map((column) => (value as Record<string, number>)[column] as number),
      ),
    );
    const results = session.run(
      [{ name, datatype: 'FP32', shape: [lines.length, ...(shape.slice(1) as number[])], elements }],
      outputs,
    );
    const text = lines.map((_, row) => {
      const entries = results.map((tensor) => {
        const width = tensor.elements.length / lines.length;
        return [
          tensor.name,
          Array.from((tensor.elements as Float32Array).subarray(row * width, (row + 1) * width), Number),
        ];
      });
      return `${JSON.stringify(Object.fromEntries(entries))}\n`;
    });
    writeSync(to, text.join(''));
  };
  return () => {
    const [from, to] = [openSync(path, 'r'), openSync(`${path}.by-hand`, 'w')];
    const buffer = Buffer.alloc(2 ** 20);
    let rest = '';
    let held: string[] = [];
    for (let read = readSync(from, buffer); read > 0; read = readSync(from, buffer)) {
      const lines = (rest + buffer.toString('utf8', 0, read)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        held.push(line);
        if (held.length < rowsPerRun) continue;
        score(held, to);
        held = [];
      }
    }
    if (held.length > 0) score(held, to);
    for (const fd of [from, to]) closeSync(fd);
  };
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] as number;

async function bench(kind: string, { model, rowOf, columns }: (typeof kinds)[string]): Promise<void> {
  const path = join(folder, `${kind}.jsonl`);
  writeInput(path, rowOf);
  const onnx = fileURLToPath(new URL(`../../../testing/fixtures/${model}/model.onnx`, import.meta.url));
  const { size, mtimeMs } = statSync(path);
  const file = { path: `${kind}.jsonl`, localPath: path, bytes: size, modifiedMs: Math.floor(mtimeMs) };
  const rowModel = openRowModel(onnx, columns);
  const session = loadSession(onnx, 1);
  const ranges: RowRange[] = [];
  const cut: Loop = async () => {
    ranges.length = 0;
    for await (const range of cutRows(file, { rowsPerMiniBatch: 10_000, signal: new AbortController().signal }))
      ranges.push(range);
  };
  const ours: Loop = async () => {
    for (const [index, range] of ranges.entries()) {
      const batch = { job: 'j', attempt: 1, index, firstItem: range.firstRow, items: range.rows, rows: range };
      const [part, errors] = [join(folder, `${index}.part`), join(folder, `${index}.errors`)];
      const { succeeded } = await scoreRows(rowModel, { batch, part, errors, runs: 1, columns, form: 'json' });
      if (succeeded !== range.rows) throw new Error('not all rows succeeded');
      rmSync(part);
    }
  };
  const valuesOf = (index: number): number[] => {
    const row = rowOf(index);
    return Array.isArray(row)
      ? row
      : (columns ?? []).map((column) => (row as Record<string, number>)[column] as number);
  };
  const loops: Readonly<Record<string, Loop>> = {
    cut,
    ours,
    'by hand': byHand(session, path, columns),
    [`bare, ${rowsPerRun} rows`]: bare(session, rowsPerRun, valuesOf),
    'bare, 1 row': bare(session, 1, valuesOf),
  };
  const figures = new Map<string, Figure[]>(Object.keys(loops).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, loop] of Object.entries(loops)) figures.get(name)?.push(await measure(loop));
  }
  console.log(
    `${kind}: ${rows} rows, ${(size / rows).toFixed(0)} bytes each, ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB resident at the end`,
  );
  const [ourWallUs, ourCpuUs] = [
    median((figures.get('ours') ?? []).map(({ wallUs }) => wallUs)),
    median((figures.get('ours') ?? []).map(({ cpuUs }) => cpuUs)),
  ];
  for (const [name, all] of figures) {
    const wallUs = median(all.map((figure) => figure.wallUs));
    const cpuUs = median(all.map((figure) => figure.cpuUs));
    console.log(
      `  ${name.padEnd(16)} ${Math.round(1e6 / wallUs)
        .toLocaleString('en')
        .padStart(
          10,
        )} rows/s ${cpuUs.toFixed(2).padStart(6)} us CPU; ours: ${(wallUs / ourWallUs).toFixed(2)} of its rows/s, ${(cpuUs / ourCpuUs).toFixed(2)} by CPU`,
    );
  }
}

try {
  for (const [kind, settings] of Object.entries(kinds)) await bench(kind, settings);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
