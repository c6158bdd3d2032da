import { describe, expect, it } from 'vitest';
import { readBatchSettings } from './index.ts';

const rows = 'mooring.batch.rows-per-mini-batch';

describe('readBatchSettings', () => {
  it('has defaults for everything', () => {
    expect(readBatchSettings({})).toEqual({
      settings: { rowsPerMiniBatch: 10_000, priority: 5, cpu: undefined, memoryMib: undefined },
      problems: [],
    });
  });

  it('reads what is set and passes over the properties of others', () => {
    const properties = {
      [rows]: '1000000',
      'mooring.batch.priority': '9',
      'mooring.cpu': '0.5',
      'mooring.memory-mib': '512',
      'azureml.x': '1',
    };
    expect(readBatchSettings(properties)).toEqual({
      settings: { rowsPerMiniBatch: 1_000_000, priority: 9, cpu: 0.5, memoryMib: 512 },
      problems: [],
    });
  });

  it.each(['0', '1000001', '1.5', '0x10', '', 'many', '-1', 'Infinity', '1e9'])('refuses %j rows', (text) => {
    expect(readBatchSettings({ [rows]: text }).problems).toEqual([
      { path: `properties.${rows}`, problem: `'${text}' is not allowed`, expected: 'a whole number from 1 to 1000000' },
    ]);
  });

  it.each([
    ['a, b ,c d', ['a', 'b', 'c d']],
    ['["a,b", "c"]', ['a,b', 'c']],
  ])('reads the columns %j', (text, columns) => {
    const { settings, problems } = readBatchSettings({ 'mooring.batch.columns': text });
    expect([settings.columns, problems]).toEqual([columns, []]);
  });

  it.each(['', 'a,,b', 'a,b,a', '[1]', '[]', '["a"', '[["a"]]'])('refuses the columns %j', (text) => {
    const { settings, problems } = readBatchSettings({ 'mooring.batch.columns': text });
    expect(settings.columns).toBeUndefined();
    expect(problems).toMatchObject([{ path: 'properties.mooring.batch.columns' }]);
  });

  it.each(['mooring.batch.max-rows', 'mooring.placement', 'mooring.x\u001b[2J'])(
    'refuses the setting %j, which batch deployments do not have',
    (property) => {
      const [problem] = readBatchSettings({ [property]: '1' }).problems;
      expect(problem).toMatchObject({ problem: 'is not a setting of batch deployments' });
      expect(problem?.path).not.toMatch(/\p{Cc}/u);
      expect(problem?.expected).toContain(rows);
    },
  );
});
