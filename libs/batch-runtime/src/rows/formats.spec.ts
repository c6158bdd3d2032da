import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { loadSession } from '@mooring/inference';
import { seeded } from '@mooring/testing';
import { describe, expect, it } from 'vitest';
import {
  cut,
  header,
  irisColumns,
  irisFile,
  irisObject,
  irisRow,
  labels,
  modelFile,
  texts,
  useScoring,
} from './testing.ts';
import { openRowModel } from './row-model.ts';

const { files, one, score, scoreText } = useScoring();
const columns = irisColumns;
const count = 2_500;
const lines = texts(count, (index) => JSON.stringify({ id: index, ...irisObject(index) }));
const csv = `${header}${texts(count, (index) => irisRow(index).join(','))}`;

function byHand(rows: number[][]): { label: number; probabilities: number[] }[] {
  const session = loadSession(irisFile, 1);
  const elements = Float32Array.from(rows.flat());
  const run = session.run(
    [{ name: 'input', datatype: 'FP32', shape: [rows.length, 4], elements }],
    ['label', 'probabilities'],
  );
  const [label, probabilities] = run.map((tensor) => Array.from(tensor.elements as Float32Array, Number)) as [
    number[],
    number[],
  ];
  session.release();
  return rows.map((_, index) => ({
    label: label[index] as number,
    probabilities: probabilities.slice(3 * index, 3 * index + 3),
  }));
}

const expected = byHand(Array.from({ length: count }, (_, index) => irisRow(index)));

const rowsOf = ({ lines: all }: { lines: string[] }): number[] =>
  all.map((line) => (JSON.parse(line) as { row: number }).row);
const odd = ['"', '"', ',', ',', '\n', '\n', '\r\n', ' ', '1,2,3,4\n', '"1",2,"3",4\n', '5', 'x', '""', '\t', '.5'];

describe('rows of a file', () => {
  it.each<[string, string, string | Uint8Array]>([
    ['JSON lines', 'a.jsonl', lines],
    ['JSON lines without a last line end', 'a.ndjson', lines.trimEnd()],
    ['JSON lines with a mark and CRLF', 'a.json', `\ufeff${lines.replaceAll('\n', '\r\n')}`],
    ['JSON lines of arrays', 'a.jsonl', texts(count, (index) => JSON.stringify(irisRow(index)))],
    ['JSON lines of nested arrays', 'a.jsonl', texts(count, (index) => ` [ ${JSON.stringify(irisRow(index))} ] `)],
    [
      'JSON lines whose members change places',
      'a.jsonl',
      texts(count, (index) =>
        JSON.stringify(Object.fromEntries(Object.entries(irisObject(index)).toSorted(() => (index % 7) - 3))),
      ),
    ],
    [
      'JSON lines with members of all kinds',
      'a.jsonl',
      texts(count, (index) =>
        JSON.stringify({ note: 'x\u00e9"\n', none: null, list: [1, { a: 2 }], ok: true, ...irisObject(index) }),
      ),
    ],
    [
      'JSON lines with exponents',
      'a.jsonl',
      texts(
        count,
        (index) =>
          `{${irisRow(index)
            .map((value, at) => `"${irisColumns[at]}" : ${value * 1_000}E-3 `)
            .join(', ')}}`,
      ),
    ],
    [
      'JSON lines with seventeen digits',
      'a.jsonl',
      texts(
        count,
        (index) =>
          `{${irisRow(index)
            .map((value, at) => `"${irisColumns[at]}":${value.toFixed(17)}`)
            .join()}}`,
      ),
    ],
    ['JSON lines, gzip', 'a.jsonl.gz', gzipSync(lines)],
    [
      'JSON lines, two members of gzip',
      'a.jsonl.gz',
      Buffer.concat([gzipSync(lines.slice(0, 10_000)), gzipSync(lines.slice(10_000))]),
    ],
    ['JSON lines, zstd', 'a.JSONL.ZST', zstdCompressSync(Buffer.from(lines))],
    [
      'JSON lines, three frames of zstd',
      'a.jsonl.zst',
      Buffer.concat(
        [lines.slice(0, 9_999), '', lines.slice(9_999)].map((piece) => zstdCompressSync(Buffer.from(piece))),
      ),
    ],
    ['JSON lines, gzip with zeros behind it', 'a.jsonl.gz', Buffer.concat([gzipSync(lines), Buffer.alloc(512)])],
    ['CSV', 'a.csv', csv],
    ['CSV with CRLF', 'a.csv', csv.replaceAll('\n', '\r\n')],
    ['CSV with a mark', 'a.CSV', `\ufeff${csv}`],
    ['CSV without a last line end', 'a.csv', csv.trimEnd()],
    [
      'CSV with blanks and a quoted header',
      'a.csv',
      csv.replaceAll(',', ' ,\t').replace('sepal_length', ' "sepal_length"'),
    ],
    ['CSV all in quotes', 'a.csv', csv.replaceAll(/[^,\n]+/g, '"$&"')],
    ['CSV with empty lines', 'a.csv', csv.replaceAll('\n', '\n\n')],
    [
      'CSV with plus signs and bare points',
      'a.csv',
      csv.replaceAll(/(?<=[,\n])0\./g, '.').replaceAll(/(?<=[,\n])([1-9])/g, '+$1'),
    ],
    [
      'CSV with a column of texts that hold line ends',
      'a.csv',
      `note,${header}${texts(count, (index) => `"said ""${index}"",\n\nand more",${irisRow(index).join(',')}`)}`,
    ],
    [
      'CSV with a column of texts with quotes inside',
      'a.csv',
      `${header.trimEnd()},note\n${texts(count, (index) => `${irisRow(index).join(',')},5" pipe`)}`,
    ],
    ['CSV, gzip', 'a.csv.gz', gzipSync(csv)],
    ['CSV, zstd', 'a.csv.zst', zstdCompressSync(Buffer.from(csv))],
  ])('give what the model says of each: %s', async (_what, name, content) => {
    for (const rowsPerMiniBatch of [1_000_000, 700]) {
      const scored = await score(one(name, content), { columns, rowsPerMiniBatch });
      expect(scored.errors.slice(0, 3)).toEqual([]);
      expect(scored.succeeded).toBe(count);
      const all = scored.lines.map((line) => JSON.parse(line) as object);
      expect(all).toEqual(
        expected.map(({ label, probabilities }, row) => ({
          row,
          label,
          probabilities: probabilities.map((value) => expect.closeTo(value, 5)),
          file_name: name,
        })),
      );
    }
  });

  it('are cut at line ends, in mini-batches that together are the file', async () => {
    const file = one('a.jsonl', lines);
    const ranges = await cut(file, 1_000);
    expect(ranges.map(({ firstRow, rows }) => [firstRow, rows])).toEqual([
      [0, 1_000],
      [1_000, 1_000],
      [2_000, 500],
    ]);
    const pieces = ranges.map(({ bytes }) => lines.slice(bytes?.start, bytes?.end));
    expect(pieces.join('')).toBe(lines);
    for (const range of ranges) expect(range).toMatchObject({ columns: ['id', ...irisColumns], format: 'jsonl' });
  });

  it('are one mini-batch of a compressed file, whose bytes are those it becomes', async () => {
    const [range, ...more] = await cut(one('a.csv.gz', gzipSync(csv)), 10);
    expect(more).toEqual([]);
    expect(range).toMatchObject({ compression: 'gzip', rows: count, bytes: { start: header.length, end: csv.length } });
  });

  it('may be longer than what is read at once', async () => {
    const note = 'n'.repeat(3 * 2 ** 20);
    const content = texts(5, (index) => JSON.stringify({ note, ...irisObject(index) }));
    const scored = await scoreText('a.jsonl', content, { columns, rowsPerMiniBatch: 2 });
    expect(labels(scored)).toEqual([0, 1, 2, 0, 1]);
  });

  it('are the same rows for whoever reads a piece, also where a quote does not end', async () => {
    const content = texts(60_000, (index) => (index === 7 ? '"open,1,2,3' : irisRow(index).join(',')));
    const scored = await scoreText('a.csv', `${header}${content}`, { columns, rowsPerMiniBatch: 1_000 });
    expect(scored).toMatchObject({ succeeded: 59_999, failed: 1 });
    expect(scored.errors[0]).toMatchObject({ item: 7, reason: 'BadRow' });
    expect(scored.ranges).toHaveLength(60);
  }, 30_000);

  it('are the same rows, cut or whole, whatever the bytes are', async () => {
    const random = seeded(7);
    for (let time = 0; time < 150; time++) {
      const pieces = Array.from({ length: 60 }, () => odd[Math.floor(random() * odd.length)] ?? '');
      const file = one('a.csv', `a,b,c,d\n${pieces.join('')}`);
      const wholly = await score(file);
      const cutUp = await score(file, { rowsPerMiniBatch: 1 + (time % 4) });
      // Of the probabilities the last digits depend on how many rows share a run.
      expect([rowsOf(cutUp), labels(cutUp), cutUp.errors]).toEqual([rowsOf(wholly), labels(wholly), wholly.errors]);
      expect(wholly.errors.every(({ reason }) => reason === 'BadRow')).toBe(true);
    }
  }, 30_000);

  it('end no wait when nobody waits for the cut any more', async () => {
    const { cutRows } = await import('../cut/cut-rows.ts');
    const cancel = new AbortController();
    const cutting = cutRows(one('a.csv', csv), { rowsPerMiniBatch: 1, signal: cancel.signal });
    await cutting.next();
    cancel.abort();
    await expect(cutting.next()).rejects.toThrow(/abort/);
  });
});

const parquet = (name: string): Buffer =>
  readFileSync(fileURLToPath(new URL(`../testing/parquet/${name}`, import.meta.url)));

describe('rows of a Parquet file', () => {
  it.each(['none', 'snappy', 'gzip', 'zstd', 'lz4', 'brotli', 'pages-v2', 'split', 'doubles'])(
    'give what the model says of each: %s',
    async (name) => {
      const scored = await scoreText('a.parquet', parquet(`${name}.parquet`), { columns, rowsPerMiniBatch: 150 });
      expect(scored.errors).toEqual([]);
      expect(labels(scored)).toEqual(expected.slice(0, 300).map(({ label }) => label));
    },
  );

  it('are cut between row groups', async () => {
    const ranges = await cut(one('a.pqt', parquet('snappy.parquet')), 200);
    expect(ranges.map(({ firstRow, rows }) => [firstRow, rows])).toEqual([
      [0, 200],
      [200, 100],
    ]);
    const groups = await cut(one('a.pqt', parquet('snappy.parquet')), 10);
    expect(groups.map(({ rows }) => rows)).toEqual([100, 100, 100]);
    expect(groups[0]?.columns).toEqual(['id', ...irisColumns.toReversed()]);
  });

  it('may be whole numbers of any width', async () => {
    expect(await scoreText('a.parquet', parquet('whole.parquet'))).toMatchObject({ succeeded: 9, failed: 0 });
  });

  it('fail alone where there is no value, and not where it is NaN', async () => {
    const scored = await scoreText('a.parquet', parquet('holes.parquet'));
    expect(scored).toMatchObject({ succeeded: 5, failed: 1 });
    expect(scored.errors[0]).toMatchObject({ item: 1, reason: 'BadRow', message: /no value in column 'petal_width'/ });
  });

  it('may be lists in a column that is called as the input', async () => {
    const scored = await scoreText('a.parquet', parquet('lists.parquet'));
    expect(scored).toMatchObject({ succeeded: 6, failed: 2 });
    expect(labels(scored)).toEqual([0, 1, 2, 0, 1, 2]);
    expect(scored.errors.map(({ message }) => message)).toEqual([
      expect.stringMatching(/has 2 elements/),
      expect.stringMatching(/no value in column 'input'/),
    ]);
  });

  it('fail as rows where they are texts', async () => {
    const scored = await scoreText('a.parquet', parquet('texts.parquet'));
    expect(scored.errors.map(({ reason }) => reason)).toEqual(['BadRow', 'BadRow']);
  });

  it('are none where the file has none', async () => {
    expect(await cut(one('a.parquet', parquet('no-rows.parquet')))).toEqual([]);
  });

  it('fail, each of them, and nothing else, wherever the file is damaged', async () => {
    const bytes = parquet('snappy.parquet');
    for (let at = 0; at < bytes.length; at += 97) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] as number) ^ 0xff;
      const scored = await scoreText('a.parquet', damaged, { columns });
      expect(scored.errors.every(({ reason }) => reason === 'BadFile' || reason === 'BadRow')).toBe(true);
    }
    for (const length of [3, 100, bytes.length - 1]) {
      const scored = await scoreText('a.parquet', bytes.subarray(0, length), { columns });
      expect(scored).toMatchObject({ succeeded: 0, failed: 1 });
    }
  });
});

describe('a file that is not what was listed', () => {
  it.each<[string, (path: string) => void, string, RegExp]>([
    ['is gone', (path) => rmSync(path), 'FileChanged', /is gone/],
    ['is longer', (path) => writeFileSync(path, `${csv}1,2,3,4\n`), 'FileChanged', /bytes and had/],
    [
      'is a link',
      (path) => {
        renameSync(path, `${path}.moved`);
        symlinkSync(`${path}.moved`, path);
      },
      'FileChanged',
      /is a link now/,
    ],
    [
      'is a folder',
      (path) => {
        rmSync(path);
        mkdirSync(path);
      },
      'FileUnreadable',
      /is no plain file/,
    ],
    [
      'is a pipe',
      (path) => {
        rmSync(path);
        spawnSync('mkfifo', [path]);
      },
      'FileUnreadable',
      /is no plain file/,
    ],
    ['was written again', (path) => utimesSync(path, 1, 1), 'FileChanged', /was written since/],
  ])('fails all rows of its mini-batch: it %s', async (_what, change, reason, message) => {
    const file = one('a.csv', csv);
    const ranges = await cut(file);
    change(file.localPath);
    expect((await cut(file))[0]).toMatchObject({
      rows: 1,
      problem: { reason, message: expect.stringMatching(message) },
    });
    const scored = await score(file, { columns });
    expect(scored.errors[0]).toMatchObject({ reason, message: expect.stringMatching(message) });
    expect(ranges).toHaveLength(1);
  });
});

describe('the columns of a file', () => {
  it('are the elements of the input, in their order, where their number fits', async () => {
    expect(labels(await scoreText('a.csv', csv))).toEqual(expected.map(({ label }) => label));
  });

  it('that are too many or too few fail the rows, and the message says what to set', async () => {
    const scored = await scoreText('a.jsonl', lines.slice(0, lines.indexOf('\n') + 1));
    expect(scored.errors[0]).toMatchObject({
      reason: 'BadFile',
      message: expect.stringMatching(
        /5 columns \(id, sepal_length.*takes 4: say which in the property mooring.batch.columns/,
      ),
    });
  });

  it('that are missing, or there twice, fail the rows', async () => {
    const missing = await scoreText('a.csv', csv.replace('petal_width', 'colour'), { columns });
    expect(missing.errors).toHaveLength(count);
    expect(missing.errors[0]?.message).toMatch(/has no column 'petal_width'; it has sepal_length/);
    const twice = await scoreText('a.csv', csv.replace('petal_width', 'sepal_width'), {
      columns: [...columns.slice(0, 3), 'sepal_width'],
    });
    expect(twice.errors[0]?.message).toMatch(/more than one column 'sepal_width'/);
  });

  it('are one for each input where there are several', async () => {
    const model = openRowModel(modelFile('slow-and-bad/models/string-category.onnx'), undefined);
    const scored = await scoreText('a.csv', 'colour\nblue\nred\n"mau""ve"\n', { model });
    expect(scored.lines).toEqual(
      [0, 1, 2].map((row) => `{"row":${row},"id":[${[30, 10, -1][row]}],"file_name":"a.csv"}`),
    );
  });
});

describe('lines of predictions', () => {
  it('are fields without a header in CSV', async () => {
    const [file] = files({ 'a b/c,"d.csv': `${header}${irisRow(0).join(',')}\n` });
    if (file === undefined) throw new Error('no file');
    const { lines: written } = await score(file, { form: 'csv' });
    expect(written).toEqual(['0,0,0.9971433,0.0028567067,2.7974462e-13,"a b/c,""d.csv"']);
  });
});
