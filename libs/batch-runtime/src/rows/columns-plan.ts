import type { RowFormat } from '@mooring/domain';
import { badFile } from '../input/file-problem.ts';
import type { RowInput } from './row-input.ts';

/**
 * Where a row's elements come from: the only input from several columns, an element each; or each input from a column of its own,
 * all of its elements. `columns` and `inputs` are in the same order then.
 */
export interface ColumnsPlan {
  kind: 'elements' | 'values';
  columns: readonly string[];
}

const shownMax = 8;

/**
 * Which columns of a file the inputs are made of: those that are `wanted`; those that are called as the inputs; or, for one input, all
 * of them, in their order, where their number fits. Throws FileProblem, which says what to set.
 */
export function planColumns(
  inputs: readonly RowInput[],
  columns: readonly string[],
  format: RowFormat,
  wanted: readonly string[] | undefined,
): ColumnsPlan {
  const [input] = inputs;
  const plan = planOf(inputs, columns, wanted);
  if (plan !== undefined) {
    // A row of JSON may have members that the first one lacks; of other files every row has the same.
    if (format !== 'jsonl') for (const name of plan.columns) checkOnce(columns, name);
    return plan;
  }
  throw badFile(
    `has ${columns.length} columns (${shown(columns)}), and input '${input?.name}' of the model takes ${input?.width}: say which in the property mooring.batch.columns of the deployment`,
  );
}

function planOf(
  inputs: readonly RowInput[],
  columns: readonly string[],
  wanted: readonly string[] | undefined,
): ColumnsPlan | undefined {
  const [input] = inputs;
  if (wanted !== undefined) return { kind: 'elements', columns: wanted };
  if (inputs.length > 1) return { kind: 'values', columns: inputs.map(({ name }) => name) };
  if (input === undefined) return undefined;
  if (columns.includes(input.name)) return { kind: 'values', columns: [input.name] };
  return input.width === undefined || input.width === columns.length ? { kind: 'elements', columns } : undefined;
}

function checkOnce(columns: readonly string[], name: string): void {
  const first = columns.indexOf(name);
  if (first < 0) throw badFile(`has no column '${name}'; it has ${shown(columns)}`);
  if (columns.includes(name, first + 1)) throw badFile(`has more than one column '${name}'`);
}

function shown(columns: readonly string[]): string {
  const names = columns.slice(0, shownMax).map((name) => name.slice(0, 60));
  return names.join(', ') + (columns.length > shownMax ? ', ...' : '');
}
