import type { FieldProblem } from '@mooring/errors';
import { readNumberSetting, shownSetting, type NumberRule } from './number-setting.ts';

/** What Azure's YAML has no field for, set by a batch deployment's `properties` that begin with `mooring.`. */
export interface BatchSettings {
  /** Rows that one run gets, of tabular inputs of ONNX models without code. `mooring.batch.rows-per-mini-batch` */
  rowsPerMiniBatch: number;
  /** Jobs with a higher one come first, in the queue and for processes. `mooring.batch.priority` */
  priority: number;
  /** CPU cores and memory of one scoring process; the whole machine's where absent. `mooring.cpu`, `mooring.memory-mib` */
  cpu: number | undefined;
  memoryMib: number | undefined;
}

const rules: Readonly<Record<keyof BatchSettings, NumberRule>> = {
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
  const read = (field: keyof BatchSettings): number | undefined =>
    readNumberSetting(properties, rules[field], problems);
  const known = Object.values(rules).map(({ property }) => property);
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
  return { settings: { rowsPerMiniBatch, priority, cpu: read('cpu'), memoryMib: read('memoryMib') }, problems };
}
