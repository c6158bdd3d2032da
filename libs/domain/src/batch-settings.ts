import type { FieldProblem } from '@mooring/errors';
import { readNumberSetting, shownSetting, type NumberRule } from './number-setting.ts';

/** What Azure's YAML has no field for, set by a batch deployment's `properties` that begin with `mooring.`. */
export interface BatchSettings {
  /** Rows that one run gets, of tabular inputs of ONNX models without code. `mooring.batch.rows-per-mini-batch` */
  rowsPerMiniBatch: number;
  /**
   * Columns that the only input of such a model is made of, in this order: names with commas between them, or a JSON list of names.
   * Absent: the columns of each file, in their order. `mooring.batch.columns`
   */
  columns: readonly string[] | undefined;
  /** Jobs with a higher one come first, in the queue and for processes. `mooring.batch.priority` */
  priority: number;
  /** CPU cores and memory of one scoring process; the whole machine's where absent. `mooring.cpu`, `mooring.memory-mib` */
  cpu: number | undefined;
  memoryMib: number | undefined;
}

const columnsProperty = 'mooring.batch.columns';
const columnsMax = 50_000;

const rules: Readonly<Record<Exclude<keyof BatchSettings, 'columns'>, NumberRule>> = {
  rowsPerMiniBatch: {
    property: 'mooring.batch.rows-per-mini-batch',
    fallback: 10_000,
    smallest: 1,
    largest: 1_000_000,
    whole: true,
  },
  priority: { property: 'mooring.batch.priority', fallback: 5, smallest: 0, largest: 9, whole: true },
  cpu: { property: 'mooring.cpu', fallback: undefined, smallest: 0.05, largest: 1024, whole: false },
  memoryMib: { property: 'mooring.memory-mib', fallback: undefined, smallest: 64, largest: 2 ** 24, whole: true },
};

/** Reads the settings; every property that is unknown or out of range is a problem. */
export function readBatchSettings(properties: Readonly<Record<string, string>>): {
  settings: BatchSettings;
  problems: FieldProblem[];
} {
  const problems: FieldProblem[] = [];
  const read = (field: keyof typeof rules): number | undefined => readNumberSetting(properties, rules[field], problems);
  const known = [...Object.values(rules).map(({ property }) => property), columnsProperty];
  for (const property of Object.keys(properties)) {
    if (!property.startsWith('mooring.') || known.includes(property)) continue;
    problems.push({
      path: `properties.${shownSetting(property)}`,
      problem: 'is not a setting of batch deployments',
      expected: `one of: ${known.join(', ')}`,
    });
  }
  const rowsPerMiniBatch = read('rowsPerMiniBatch') ?? 10_000;
  const priority = read('priority') ?? 5;
  const columns = readColumns(properties[columnsProperty], problems);
  const settings = { rowsPerMiniBatch, columns, priority, cpu: read('cpu'), memoryMib: read('memoryMib') };
  return { settings, problems };
}

function readColumns(text: string | undefined, problems: FieldProblem[]): readonly string[] | undefined {
  if (text === undefined) return undefined;
  const names = text.trimStart().startsWith('[') ? namesOfList(text) : text.split(',').map((name) => name.trim());
  const fits = names !== undefined && names.length <= columnsMax && new Set(names).size === names.length;
  if (fits && names.length > 0 && !names.includes('')) return names;
  problems.push({
    path: `properties.${columnsProperty}`,
    problem: `'${shownSetting(text)}' is not allowed`,
    expected: `at most ${columnsMax} names of columns, each once, with commas between them or as a JSON list of texts`,
  });
  return undefined;
}

function namesOfList(text: string): string[] | undefined {
  try {
    const list = JSON.parse(text) as unknown;
    return Array.isArray(list) && list.every((name) => typeof name === 'string') ? list : undefined;
  } catch {
    return undefined;
  }
}
