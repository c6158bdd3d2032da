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
