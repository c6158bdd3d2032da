import { expect, it } from 'vitest';
import { readMooringSettings } from './settings.ts';

it('has defaults for everything', () => {
  const { settings, problems } = readMooringSettings({ 'not-ours': 'x' });
  expect(problems).toEqual([]);
  expect(settings).toMatchObject({ batchMaxRows: 1, mirrorTolerance: 1e-4, mirrorIgnore: [] });
});

it('reads the paths that the mirror comparison leaves out', () => {
  const { settings, problems } = readMooringSettings({ 'mooring.mirror.ignore': ' model, detail.took_ms ' });
  expect(problems).toEqual([]);
  expect(settings.mirrorIgnore).toEqual(['model', 'detail.took_ms']);
});

it('says all problems at once, each with its path and what would be right', () => {
  const { problems } = readMooringSettings({
    'mooring.batch.max-rows': '0',
    'mooring.mirror.ignore': 'a[0]',
    'mooring.nonsense': '1',
  });
  expect(problems.map(({ path }) => path)).toEqual([
    'properties.mooring.batch.max-rows',
    'properties.mooring.nonsense',
    'properties.mooring.mirror.ignore',
  ]);
  expect(problems.every(({ expected }) => expected !== undefined)).toBe(true);
});

it('reads where a model shall run, and whether the user said how requests share runs', () => {
  const { settings, problems } = readMooringSettings({
    'mooring.placement': 'threads',
    'mooring.threads': '3',
    'mooring.batch.max-rows': '8',
  });
  expect(problems).toEqual([]);
  expect(settings).toMatchObject({ placement: 'threads', threads: 3, batchSet: true });
  expect(readMooringSettings({}).settings).not.toHaveProperty('placement');
  expect(readMooringSettings({ 'mooring.placement': 'moon' }).problems[0]?.expected).toContain('inline');
});

it('reads for how long answers are kept, and whether identical requests share a run', () => {
  const { settings, problems } = readMooringSettings({
    'mooring.response-cache-ttl-ms': '60000',
    'mooring.response-cache-bytes-max': '1048576',
    'mooring.single-flight': 'true',
  });
  expect(problems).toEqual([]);
  expect(settings).toMatchObject({ responseCacheTtlMs: 60_000, responseCacheBytesMax: 2 ** 20, singleFlight: true });
  const off = readMooringSettings({ 'mooring.single-flight': 'false' });
  expect(off.problems).toEqual([]);
  expect(off.settings.singleFlight).toBeUndefined();
  expect(off.settings.responseCacheTtlMs).toBeUndefined();
});

it.each([
  [{ 'mooring.response-cache-ttl-ms': '0' }, 'response-cache-ttl-ms', 'from 1 to 86400000'],
  [{ 'mooring.response-cache-ttl-ms': '1.5' }, 'response-cache-ttl-ms', 'a whole number'],
  [{ 'mooring.response-cache-ttl-ms': '10m' }, 'response-cache-ttl-ms', 'a whole number'],
  [{ 'mooring.single-flight': 'yes' }, 'single-flight', 'true or false'],
  [{ 'mooring.single-flight': '' }, 'single-flight', 'true or false'],
  [
    { 'mooring.response-cache-bytes-max': '65536' },
    'response-cache-bytes-max',
    'mooring.response-cache-ttl-ms beside it',
  ],
  [{ 'mooring.response-cache': 'on' }, 'response-cache', 'mooring.response-cache-ttl-ms'],
])('refuses %j and says what would be right', (properties, path, expected) => {
  const { problems } = readMooringSettings(properties as unknown as Record<string, string>);
  expect(problems).toHaveLength(1);
  expect(problems[0]?.path).toBe(`properties.mooring.${path}`);
  expect(problems[0]?.expected).toContain(expected);
});

it.each(['', ' ', '-1', '1.5', '0x10', '0b11', '0o17', '1_000', 'NaN', 'Infinity', '1e400', '\u0661\u0662', 'true'])(
  'takes %j for no time that an answer is kept',
  (text) => {
    const { settings, problems } = readMooringSettings({ 'mooring.response-cache-ttl-ms': text });
    expect(problems).toEqual([expect.objectContaining({ path: 'properties.mooring.response-cache-ttl-ms' })]);
    expect(settings.responseCacheTtlMs).toBeUndefined();
  },
);
