import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { InputFile, MiniBatch, RowRange } from '@mooring/domain';
import { eventually } from '@mooring/testing';
import { describe, expect, it } from 'vitest';
import { never, useRunners, type TestRunner } from '../testing.ts';
import { cut, header, irisColumns, irisFile, irisObject, irisRow, modelFile, texts } from './testing.ts';

const { files, folder, runner } = useRunners();
/** Hundredths of a second that a process has run. */
const cpuTicks = (pid: number): number => Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[13]);
const of = (file: string, options: Parameters<typeof runner>[1] = {}, changes = {}): TestRunner =>
  runner({ runtime: { kind: 'onnx', file }, ...changes }, options);
const one = (name: string, content: string): InputFile => files({ [name]: content })[0] as InputFile;
const slow = (name: string): string => modelFile(`slow-and-bad/models/${name}.onnx`);

async function started(file: string, options: Parameters<typeof runner>[1] = {}, changes = {}): Promise<TestRunner> {
  const test = of(file, options, changes);
  await test.runner.start(never);
  return test;
}

async function batchOf(file: InputFile, changes: Partial<MiniBatch> = {}): Promise<MiniBatch> {
  const [rows] = (await cut(file)) as [RowRange];
  return { job: 'job-1', attempt: 1, index: 0, firstItem: 0, items: rows.rows, rows, ...changes };
}

const lines = texts(300, (index) => JSON.stringify({ id: index, ...irisObject(index) }))
  .split('\n')
  .slice(0, -1);
const broken = { 3: '{broken', 50: '', 99: '{"id": 99}', 200: 'null', 250: '[1,2,3,4]', 299: lines[299]?.slice(0, 20) };

describe('a model without a script', () => {
  it('writes a line for each row that succeeds, and an error for each that does not', async () => {
    const test = await started(irisFile, { columns: irisColumns, settings: { outputFileName: 'p.jsonl' } });
    const file = one('a/b.jsonl', Object.values({ ...lines, ...broken }).join('\n'));
    const outcome = await test.run(await batchOf(file, { firstItem: 1_000, index: 7 }), { runs: 2 });
    expect(outcome).toMatchObject({
      kind: 'done',
      succeeded: 294,
      failed: 6,
      part: { lines: 294 },
      errors: { lines: 6 },
    });
    if (outcome.kind !== 'done') throw new Error('not done');
    const rows = test.lines(outcome.part).map((line) => JSON.parse(line) as { row: number; label: number });
    const good = Array.from({ length: 300 }, (_, row) => row).filter((row) => !(row in broken));
    expect(rows.map(({ row, label }) => [row, label])).toEqual(good.map((row) => [row, row % 3]));
    expect(rows[0]).toMatchObject({ file_name: 'a/b.jsonl' });
    expect(test.errors(outcome).map(({ item, source, reason, runs }) => [item, source, reason, runs])).toEqual(
      Object.keys(broken).map((row) => [1_000 + Number(row), `a/b.jsonl#${row}`, 'BadRow', 2]),
    );
    expect(outcome.part?.bytes).toBe(readFileSync(`${test.parts}/${outcome.part?.file}`).length);
  });

  it('writes fields where the output is called .csv, and only errors with summary_only', async () => {
    const batch = await batchOf(one('a.csv', `${header}${irisRow(2).join(',')}\n1,2\n`));
    const csv = await started(irisFile);
    const outcome = await csv.run(batch);
    if (outcome.kind !== 'done') throw new Error('not done');
    expect(csv.lines(outcome.part)).toEqual([expect.stringMatching(/^0,2(,[\d.e-]+){3},a\.csv$/)]);
    const summary = await started(irisFile, { settings: { outputAction: 'summary_only' } });
    expect(await summary.run(batch)).toEqual({ kind: 'done', succeeded: 1, failed: 1, errors: expect.anything() });
    expect(summary.leftParts()).toHaveLength(1);
  });

  it('fails the rows that the model refuses, alone', async () => {
    const test = await started(slow('huge-output'), { settings: { outputFileName: 'p.json' } });
    const rows = [5, -1, 3, 2 ** 45, 0];
    const outcome = await test.run(
      await batchOf(
        one(
          'a.jsonl',
          texts(5, (index) => `{"value":7,"n":${rows[index]}}`),
        ),
      ),
    );
    expect(outcome).toMatchObject({ kind: 'done', succeeded: 3, failed: 2 });
    if (outcome.kind !== 'done') throw new Error('not done');
    expect(test.lines(outcome.part)).toEqual([
      '{"row":0,"out":[7,7,7,7,7],"file_name":"a.jsonl"}',
      '{"row":2,"out":[7,7,7],"file_name":"a.jsonl"}',
      '{"row":4,"out":[],"file_name":"a.jsonl"}',
    ]);
    expect(test.errors(outcome).map(({ item, reason }) => [item, reason])).toEqual([
      [1, 'ModelFailed'],
      [3, 'ModelFailed'],
    ]);
  });

  it('writes rows of any size, and what JSON has no number for as a text', async () => {
    const large = await started(slow('huge-output'), { settings: { outputFileName: 'p.json' } });
    const outcome = await large.run(await batchOf(one('a.jsonl', '{"value":0.5,"n":3000000}\n')));
    expect(outcome).toMatchObject({ kind: 'done', succeeded: 1, part: { lines: 1 } });
    if (outcome.kind !== 'done') throw new Error('not done');
    const [line] = large.lines(outcome.part);
    expect((JSON.parse(line ?? '') as { out: number[] }).out).toHaveLength(3_000_000);
    const odd = await started(slow('nan-inf'), { settings: { outputFileName: 'p.json' } });
    const scored = await odd.run(await batchOf(one('a.csv', 'x\n1\n-1\n0\nNaN\n-inf\n')));
    expect(scored.kind === 'done' && odd.lines(scored.part).slice(0, 3)).toEqual([
      '{"row":0,"y":"Infinity","r":1,"file_name":"a.csv"}',
      '{"row":1,"y":"-Infinity","r":"NaN","file_name":"a.csv"}',
      '{"row":2,"y":"NaN","r":0,"file_name":"a.csv"}',
    ]);
    expect(scored).toMatchObject({ succeeded: 5, failed: 0 });
  });

  it('takes several inputs of any datatype, each from the column of its name', async () => {
    const test = await started(slow('mixed-dtypes'), { settings: { outputFileName: 'p.json' } });
    const row = { big: 'BIG', half: 1.5, i8: -127, flag: true, u8: 255, dbl: 2, more: 'x' };
    const text = JSON.stringify(row).replace('"BIG"', '4611686018427387904');
    const csv =
      'half,i8,flag,u8,dbl,big\n1.5,-127,true,255,2,4611686018427387904\n1,300,true,1,1,1\n1,1.5,false,1,1,1\n1,1,maybe,1,1,1\n';
    const outcome = await test.run(await batchOf(one('a.jsonl', `${text}\n`)));
    const fields = await test.run(await batchOf(one('a.csv', csv)));
    if (outcome.kind !== 'done' || fields.kind !== 'done') throw new Error('not done');
    const [line] = test.lines(outcome.part);
    expect(line).toContain('"half_x2":3,"i32":-127,"not_flag":false');
    expect(line).toContain('"big_plus_1":4611686018427387905,');
    expect(test.lines(fields.part)).toEqual([line?.replace('a.jsonl', 'a.csv')]);
    expect(test.errors(fields).map(({ item }) => item)).toEqual([1, 2, 3]);
  });

  it('tells texts apart from what they are made of', async () => {
    const test = await started(slow('string-input'));
    const outcome = await test.run(await batchOf(one('a.csv', 'text\n"a ""b"", c\nd"\nsimple\n')));
    expect(outcome.kind === 'done' && test.lines(outcome.part)).toEqual([
      String.raw`0,"a ""b"", c\nd","A ""B"", C\nD",1,a.csv`,
      '1,simple,SIMPLE,1,a.csv',
    ]);
  });

  it('fails a mini-batch of a file of which nothing can be read as one item', async () => {
    const test = await started(irisFile);
    const outcome = await test.run(await batchOf(one('a.csv', '')));
    expect(outcome).toMatchObject({ kind: 'done', succeeded: 0, failed: 1 });
    expect(test.errors(outcome)).toMatchObject([{ item: 0, source: 'a.csv', reason: 'BadFile' }]);
  });
});

describe('the process of a model', () => {
  it.each([
    ['a file that is none', slow('not-onnx'), 'BAD_ARGUMENT', /cannot be loaded/],
    ['half a file', slow('truncated'), 'BAD_ARGUMENT', /cannot be loaded/],
    ['no file', '/no/such/model.onnx', 'BAD_ARGUMENT', /cannot be loaded/],
    ['an operator that nobody knows', slow('unknown-op'), 'BAD_ARGUMENT', /cannot be loaded/],
  ])('says why it cannot begin: %s', async (_what, file, reason, message) => {
    await expect(of(file).runner.start(never)).rejects.toMatchObject({
      code: 'failed_precondition',
      reason,
      message: expect.stringMatching(message),
    });
  });

  it('says why it cannot begin: columns that do not fit the input', async () => {
    await expect(of(irisFile, { columns: ['a', 'b'] }).runner.start(never)).rejects.toMatchObject({
      reason: 'MODEL_NOT_FOR_ROWS',
      message: "mooring.batch.columns names 2 columns, and input 'input' takes 4",
    });
  });

  it('is ended when its time is over or nobody waits, and made anew', async () => {
    const test = await started(slow('heavy-adjustable'), { settings: { outputFileName: 'p.json' } });
    const endless = await batchOf(one('a.jsonl', '{"x":[1,2,3,4],"loops":10000000}\n'));
    expect(await test.run(endless, { timeoutMs: 500 })).toMatchObject({ kind: 'timed-out' });
    const cancel = new AbortController();
    setTimeout(() => cancel.abort(), 500);
    await expect(test.run(endless, { signal: cancel.signal })).rejects.toMatchObject({ code: 'cancelled' });
    expect(test.leftParts()).toEqual([]);
    const quick = await batchOf(one('a.jsonl', '{"loops":1,"x":[1,2,3,4]}\n{"loops":1,"x":[[1,2],[3,4]]}\n'));
    expect(await test.run(quick)).toMatchObject({ kind: 'done', succeeded: 2, failed: 0 });
    expect(test.out.text()).toContain('each row has a run of its own');
  });

  it('ends with its worker, whatever the model does', async () => {
    const file = one('a.jsonl', '{"x":[1,2,3,4],"loops":10000000}\n');
    const [rows] = await cut(file);
    const holder = spawn(process.execPath, [fileURLToPath(new URL('../testing/hold-rows.ts', import.meta.url))], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    holder.stdin.end(JSON.stringify({ model: slow('heavy-adjustable'), folder: folder(), rows }));
    const [said] = (await once(holder.stdout, 'data')) as [Buffer];
    const pid = Number(said);
    const before = cpuTicks(pid);
    await eventually(() => expect(cpuTicks(pid)).toBeGreaterThan(before + 20));
    holder.kill('SIGKILL');
    await eventually(() => expect(() => process.kill(pid, 0)).toThrow());
  });

  it('is told from a mini-batch that failed when it holds more memory than it may', async () => {
    const limits = { cpu: 1, memoryMib: 300 };
    const test = await started(slow('huge-output'), {}, { limits });
    const outcome = await test.run(await batchOf(one('a.jsonl', '{"value":7,"n":400000000}\n')));
    expect(outcome).toMatchObject({ kind: 'process-lost', message: expect.stringMatching(/may hold 300 MiB/) });
  });

  it('says that the disk refused what it wrote', async () => {
    const test = await started(irisFile, { partsFolder: '/proc/self' });
    await expect(test.run(await batchOf(one('a.csv', `${header}1,2,3,4\n`)))).rejects.toMatchObject({
      code: 'resource_exhausted',
      reason: 'PARTS_NOT_WRITTEN',
    });
  });
});
