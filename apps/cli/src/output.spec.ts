import { describe, expect, it } from 'vitest';
import { checkQuery, formatted } from './output.ts';

const rows = [
  { name: 'cars', traffic: { martina: 90, luca: 10 }, provisioning_state: 'Succeeded', id: '/long', ms: 1.23456 },
  { name: 'fern', traffic: {}, provisioning_state: 'Failed', id: '/long', ms: 2 },
];
const print = (value: unknown, output: string, more: { query?: string; fields?: readonly string[] } = {}) =>
  formatted(value, { output, query: more.query, fields: more.fields });

describe('formatted', () => {
  it('prints JSON with two blanks', async () => {
    expect(await print({ a: [1] }, 'json')).toBe('{\n  "a": [\n    1\n  ]\n}');
    expect(await print(undefined, 'json')).toBe('null');
  });

  it('prints YAML', async () => {
    expect(await print({ a: 'true', b: [1] }, 'yaml')).toBe('a: "true"\nb:\n  - 1');
  });

  it('prints a table of the named fields, traffic as it is given on the command line', async () => {
    expect(await print(rows, 'table', { fields: ['name', 'traffic', 'ms'] })).toBe(
      [
        'Name  Traffic             Ms',
        '----  ------------------  -----',
        'cars  martina=90 luca=10  1.235',
        'fern                      2',
      ].join('\n'),
    );
  });

  it('prints a table of one object by its single values, without what is long', async () => {
    expect(await print(rows[1], 'table')).toBe(
      [
        'Name  Traffic  Provisioning state  Ms',
        '----  -------  ------------------  --',
        'fern           Failed              2',
      ].join('\n'),
    );
  });

  it('prints a table of one object that is too wide for a terminal with a line for each field', async () => {
    const wide = { name: 'fern', path: 'p'.repeat(120) };
    expect(await print(wide, 'table')).toBe(
      ['Field  Value', `-----  ${'-'.repeat(120)}`, 'Name   fern', `Path   ${wide.path}`].join('\n'),
    );
    expect(await print([wide], 'table')).toMatch(/^Name  Path\n/);
  });

  it('shortens ids in a table, and nowhere else', async () => {
    const base = '/subscriptions/s/resourceGroups/r/providers/Microsoft.MachineLearningServices/workspaces/w';
    const value = [
      { a: `azureml:${base}/models/fern/versions/3` },
      { a: `azureml:${base}/models/${'0af'.repeat(21)}1/versions/1` },
      { a: `${base}/onlineEndpoints/cars` },
      { a: `azureml:/${base.toLowerCase()}/datastores/store/paths/LocalUpload/${'0af'.repeat(21)}1/photos` },
    ];
    expect(await print(value, 'table')).toBe(
      [
        'A',
        '-'.repeat(67),
        'fern:3',
        '0af0af0af0af...:1',
        'onlineEndpoints/cars',
        'azureml://datastores/store/paths/LocalUpload/0af0af0af0af.../photos',
      ].join('\n'),
    );
    expect(await print(value[2], 'tsv')).toBe(`${base}/onlineEndpoints/cars`);
  });

  it('prints a table of what is there when there are no single values', async () => {
    expect(await print({ type: [[0.5]] }, 'table')).toBe('Type\n-------\n[[0.5]]');
  });

  it('says that a table has no rows', async () => expect(await print([], 'table')).toBe('(none)'));

  it('prints what a query leaves, in whichever format', async () => {
    expect(await print(rows, 'json', { query: '[0].traffic.martina' })).toBe('90');
    expect(await print(rows, 'tsv', { query: '[].name' })).toBe('cars\nfern');
    expect(await print(rows, 'tsv', { query: '[].[name, ms]' })).toBe('cars\t1.235\nfern\t2');
    expect(await print(rows, 'table', { query: '[].{it: name}' })).toBe('It\n----\ncars\nfern');
    expect(await print(rows, 'json', { query: 'nothing' })).toBe('null');
  });

  it('prints a single value of TSV as it is, for scripts', async () => {
    expect(await print('a\tb', 'tsv')).toBe('a\tb');
    expect(await print({ a: 'x\ty', b: { c: 1 } }, 'tsv')).toBe('x y\tc=1');
  });

  it('refuses a query that fails over the result', async () => {
    await expect(print(rows, 'json', { query: 'length(`1`)' })).rejects.toMatchObject({ reason: 'BAD_QUERY' });
  });
});

describe('checkQuery', () => {
  it.each(['name', '[0]', '[].name', 'a.b[?c==`1`]', 'sort_by(@, &name)[-1]', '{a: b}', '*.x'])(
    'lets %s pass',
    async (query) => checkQuery(query),
  );

  it.each([
    ' ',
    '[',
    ']',
    '.a',
    '[?',
    '{a}',
    '{a:',
    '"a',
    '`{`',
    'a b',
    '$.name',
    '#',
    '&',
    'a[1.5]',
    'f(',
    '('.repeat(4000),
    '['.repeat(100_000),
  ])('refuses %j before anything is done', async (query) => {
    await expect(checkQuery(query)).rejects.toMatchObject({ code: 'invalid_argument', reason: 'BAD_QUERY' });
  });
});
