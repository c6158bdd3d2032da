import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { header, irisColumns, irisObject, irisRow, texts, useScoring } from './testing.ts';

const { scoreText } = useScoring();
const columns = irisColumns;
const good = irisRow(0).join(',');
const json = JSON.stringify(irisObject(0));
const gz = gzipSync(`${header}${texts(1_000, (index) => irisRow(index).join(','))}`);
const zst = zstdCompressSync(Buffer.from(`${header}${texts(1_000, (index) => irisRow(index).join(','))}`));
const whole = { succeeded: 0, failed: 1 };

describe('a file of which nothing can be read', () => {
  it.each<[string, string, string | Uint8Array, RegExp]>([
    ['an empty CSV', 'a.csv', '', /a.csv is empty: a CSV file begins/],
    ['nothing but line ends', 'a.csv', '\n\r\n\n', /is empty/],
    ['a mark alone', 'a.csv', '\ufeff', /is empty/],
    ['UTF-16', 'a.csv', Buffer.from(`\ufeff${header}${good}\n`, 'utf16le'), /is UTF-16 text/],
    ['UTF-16, the other way round', 'a.jsonl', Buffer.from([0xfe, 0xff, 0, 0x7b]), /is UTF-16 text/],
    ['NUL in the header', 'a.csv', `a\0,b\n1,2\n`, /control characters/],
    ['random bytes', 'a.csv', Buffer.from([0x81, 0xfe, 0x13, 0x0a, 0xff]), /not UTF-8 text/],
    ['gzip that is not called so', 'a.csv', gz, /is gzip compressed.* add .gz/],
    ['zstd that is not called so', 'a.jsonl', zst, /is zstd compressed.* add .zst/],
    ['a Parquet file that is not called so', 'a.csv', 'PAR1....PAR1', /is a Parquet file/],
    ['a workbook', 'a.csv', 'PK\u0003\u0004rest', /a workbook/],
    ['lines that end in CR alone', 'a.csv', `a,b\r1,2\r3,4\r`, /CR alone/],
    ['a header whose quote does not end', 'a.csv', `"a,b\n1,2\n`, /quote that does not end/],
    ['a header that goes on behind a quote', 'a.csv', `"a"b,c\n1,2\n`, /behind its closing quote/],
    ['a first row of numbers', 'a.csv', `${good}\n${good}\n`, /begins with a row of numbers/],
    ['a header of 2 MiB', 'a.csv', `${'a,'.repeat(2 ** 20)}b\n1\n`, /too long for names/],
    [
      'a header of 50,001 columns',
      'a.csv',
      `${Array.from({ length: 50_001 }, (_, at) => `c${at}`).join(',')}\n`,
      /50001 columns/,
    ],
    ['one JSON document over many lines', 'a.json', `[\n${json},\n${json}\n]\n`, /one JSON document/],
    ['text that is called gzip', 'a.csv.gz', `${header}${good}\n`, /is damaged, or no gzip file/],
    ['text that is called zstd', 'a.csv.zst', `${header}${good}\n`, /is damaged, or no zstd file/],
    ['a gzip file that ends early', 'a.csv.gz', gz.subarray(0, gz.length - 20), /is damaged, or no gzip file/],
    ['a zstd file that ends early', 'a.csv.zst', zst.subarray(0, zst.length - 9), /is damaged, or no zstd file/],
    [
      'a gzip file with another checksum',
      'a.csv.gz',
      Buffer.concat([gz.subarray(0, -8), Buffer.alloc(8)]),
      /is damaged/,
    ],
    ['gzip with something behind it', 'a.csv.gz', Buffer.concat([gz, Buffer.from('more')]), /is damaged/],
    ['gzip with zeros and gzip behind it', 'a.csv.gz', Buffer.concat([gz, Buffer.alloc(9), gz]), /more behind the end/],
    ['zstd with something behind it', 'a.csv.zst', Buffer.concat([zst, Buffer.from('more')]), /is damaged/],
    ['zstd whose second frame ends early', 'a.csv.zst', Buffer.concat([zst, zst.subarray(0, 40)]), /is damaged/],
    ['an empty gzip file', 'a.csv.gz', gzipSync(''), /is empty/],
    ['a gzip file of 64 MiB of zeros', 'a.csv.gz', gzipSync(Buffer.alloc(64 * 2 ** 20)), /200 times as large/],
    [
      'a zstd file of 64 MiB of one line',
      'a.jsonl.zst',
      zstdCompressSync(Buffer.alloc(64 * 2 ** 20, `${json}\n`)),
      /200 times/,
    ],
    ['gzip in gzip', 'a.csv.gz', gzipSync(gz), /is gzip compressed/],
    ['no ending', 'rows', header, /does not say which rows it holds/],
    ['another ending', 'a.txt', header, /\.csv, \.jsonl/],
    ['an ending alone', '.gz', header, /does not say/],
    ['compressed Parquet', 'a.parquet.gz', gz, /does not say/],
    ['an empty Parquet file', 'a.parquet', '', /is no Parquet file/],
    ['text that is called Parquet', 'a.pqt', `${header}${good}\n`, /is no Parquet file/],
    [
      'a Parquet file that describes itself in more than it has',
      'a.parquet',
      Buffer.from('PAR1\xff\xff\xff\x00PAR1', 'latin1'),
      /more bytes than it has/,
    ],
    [
      'a Parquet file that describes itself in gibberish',
      'a.parquet',
      Buffer.from('PAR1\x99\x99\x99\x99\x04\0\0\0PAR1', 'latin1'),
      /of a kind of Parquet that is not read/,
    ],
    [
      'a Parquet file whose description has numbers where lists belong',
      'a.parquet',
      Buffer.from(`PAR1${'\x15\x04'.repeat(2_000)}\xa0\x0f\0\0PAR1`, 'latin1'),
      /not read: its parts do not fit together$/,
    ],
  ])('fails as one item: %s', async (_what, name, content, message) => {
    const scored = await scoreText(name, content, { columns });
    expect(scored).toMatchObject({ ...whole, lines: [] });
    expect(scored.errors).toEqual([
      { item: 0, source: name, reason: 'BadFile', message: expect.stringMatching(message), runs: 1 },
    ]);
  });
});

describe('a file without rows', () => {
  it.each([
    ['a header alone', 'a.csv', header],
    ['a header without a line end', 'a.csv', header.trimEnd()],
    ['a header and empty lines', 'a.csv', `${header}\n\r\n\n`],
    ['an empty file of JSON lines', 'a.jsonl', ''],
    ['a mark alone', 'a.jsonl', '\ufeff'],
    ['an empty compressed file of JSON lines', 'a.jsonl.gz', gzipSync('')],
  ])('has no items: %s', async (_what, name, content) => {
    expect((await scoreText(name, content, { columns })).ranges).toEqual([]);
  });
});

const badCsvRows: [string, string | Uint8Array, RegExp][] = [
  ['a text', `abc,1,2,3`, /column 'sepal_length' is a string; expected a number/],
  ['too few fields', `1,2`, /has 2 fields, and the header 4/],
  ['too many fields', `1,2,3,4,5`, /has 5 fields/],
  ['an empty field', `1,2,,4`, /no value in column 'petal_length'/],
  ['blanks alone', `   `, /has 1 fields/],
  ['no finite number', `1,2,3,1e999`, /column 'petal_width' \(Infinity\) does not fit/],
  ['a number beyond FP32', `1,2,3,1e39`, /column 'petal_width' \(1e\+39\) does not fit FP32/],
  ['two points', `1.2.3,2,3,4`, /'sepal_length' is a string/],
  ['a hexadecimal number', `0x10,2,3,4`, /'sepal_length' is a string/],
  ['a decimal comma in quotes', `"1,5",2,3,4`, /'sepal_length' is a string/],
  ['a quote that does not end', `"1,2,3,4`, /quote that does not end/],
  ['more behind a quote', `"1"5,2,3,4`, /field 1 of the row goes on behind/],
  ['NUL', `1\0,2,3,4`, /'sepal_length' is a string/],
  ['bytes that are not UTF-8', Buffer.from('1,2,3,\xff\xfe', 'latin1'), /not UTF-8/],
  ['semicolons', `1;2;3;4`, /has 1 fields/],
  ['a unit', `1,2,3,4 cm`, /'petal_width' is a string/],
  ['a row of 17 MiB', `1,2,3,${'4'.repeat(17 * 2 ** 20)}`, /longer than 16 MiB/],
];

describe('a bad row of a CSV', () => {
  it.each(badCsvRows)('fails alone: %s', async (_what, row, message) => {
    const content = Buffer.concat([
      Buffer.from(`${header}${good}\n`),
      Buffer.from(row as string),
      Buffer.from(`\n${good}\n`),
    ]);
    const scored = await scoreText('a.csv', content, { columns });
    expect(scored).toMatchObject({ succeeded: 2, failed: 1 });
    expect(scored.errors).toEqual([
      { item: 1, source: 'a.csv#1', reason: 'BadRow', message: expect.stringMatching(message), runs: 1 },
    ]);
    expect(scored.lines.map((line) => (JSON.parse(line) as { row: number }).row)).toEqual([0, 2]);
  });
});

const badJsonRows: [string, string | Uint8Array, RegExp][] = [
  ['nothing', ``, /not valid JSON/],
  ['a piece', `{broken`, /not valid JSON/],
  ['an end that is missing', json.slice(0, -1), /not valid JSON/],
  ['more behind it', `${json} x`, /not valid JSON/],
  ['two in one line', `${json}${json}`, /not valid JSON/],
  ['a comma at the end', `${json.slice(0, -1)},}`, /not valid JSON/],
  ['null', `null`, /the row is null/],
  ['a number', `17`, /the row is a number/],
  ['a text', `"1,2,3,4"`, /the row is a string/],
  ['an array among objects', `[1,2,3,4]`, /is an array, and the first row of the file an object/],
  ['an empty object', `{}`, /no value in column 'sepal_length'/],
  ['a column too few', `{"sepal_length":1,"sepal_width":2,"petal_length":3}`, /no value in column 'petal_width'/],
  ['null in a column', json.replace('5.1', 'null'), /no value in column 'sepal_length'/],
  ['a text in a column', json.replace('5.1', '"5.1"'), /column 'sepal_length' is a string/],
  ['a list in a column', json.replace('5.1', '[5.1]'), /column 'sepal_length' is a list/],
  ['an object in a column', json.replace('5.1', '{"a":1}'), /column 'sepal_length' is an object/],
  ['a boolean in a column', json.replace('5.1', 'true'), /column 'sepal_length' is a boolean/],
  ['NaN without quotes', json.replace('5.1', 'NaN'), /not valid JSON/],
  ['no finite number', json.replace('5.1', '1e999'), /does not fit/],
  ['a number beyond FP32', json.replace('5.1', '-1e300'), /column 'sepal_length' \(-1e\+300\) does not fit FP32/],
  ['a leading zero', json.replace('5.1', '05.1'), /not valid JSON/],
  ['a plus', json.replace('5.1', '+5.1'), /not valid JSON/],
  ['a point at the end', json.replace('5.1', '5.'), /not valid JSON/],
  ['an exponent without digits', json.replace('5.1', '5e'), /not valid JSON/],
  ['a name in single quotes', json.replaceAll('"', "'"), /not valid JSON/],
  ['bytes that are not UTF-8', Buffer.from(json.replace('}', ',"n":"\xff"}'), 'latin1'), /not UTF-8/],
  ['nesting 100,000 deep', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, /is an array|nested too deeply/],
  ['100,000 members', `{${Array.from({ length: 1e5 }, (_, at) => `"${at}":0`).join(',')}}`, /no value in column/],
  ['a row of 17 MiB', `{"note":"${'x'.repeat(17 * 2 ** 20)}"}`, /longer than 16 MiB/],
  ['a name that every object has', `{"__proto__":${json}}`, /no value in column 'sepal_length'/],
];

describe('a bad row of JSON lines', () => {
  it.each(badJsonRows)('fails alone: %s', async (_what, row, message) => {
    const content = Buffer.concat([Buffer.from(`${json}\n`), Buffer.from(row as string), Buffer.from(`\n${json}\n`)]);
    const scored = await scoreText('a.jsonl', content, { columns });
    expect(scored).toMatchObject({ succeeded: 2, failed: 1 });
    expect(scored.errors).toEqual([
      { item: 1, source: 'a.jsonl#1', reason: 'BadRow', message: expect.stringMatching(message), runs: 1 },
    ]);
  });
});

describe('bad rows by the thousand', () => {
  it('each have an error in the order of the file, between those that succeed', async () => {
    const content = texts(30_000, (index) => (index % 3 === 0 ? json : index % 1_000 === 1 ? '' : 'x'));
    const scored = await scoreText('a.jsonl', content, { columns, rowsPerMiniBatch: 20_000 });
    expect(scored).toMatchObject({ succeeded: 10_000, failed: 20_000 });
    const items = scored.errors.map(({ item }) => item);
    expect(items).toEqual(items.toSorted((a, b) => a - b));
  }, 30_000);
});
