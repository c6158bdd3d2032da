import { PlatformError } from '@mooring/errors';
import { elementCount, isRows, shapeOfNested, tensorFromJson } from '@mooring/tensor';
import { BadRow } from '../input/csv-fields.ts';
import type { ColumnsPlan } from './columns-plan.ts';
import type { RowBatch } from './row-batch.ts';
import type { RowInput } from './row-input.ts';

/** Puts a row into the batch whose columns are values as JSON has them. Throws BadRow, or what tensorFromJson throws. */
export function takeColumns(
  inputs: readonly RowInput[],
  plan: ColumnsPlan,
  valueOf: (column: string) => unknown,
  batch: RowBatch,
): void {
  if (plan.kind === 'elements') {
    takeValue(
      inputs,
      0,
      plan.columns.map((column) => single(valueOf, column)),
      batch,
    );
  } else {
    for (const [index, column] of plan.columns.entries()) takeValue(inputs, index, present(valueOf, column), batch);
  }
}

/** Puts in a row that is a list: the elements of the only input, or one entry for each input. */
export function takeList(inputs: readonly RowInput[], values: readonly unknown[], batch: RowBatch): void {
  if (inputs.length === 1) return takeValue(inputs, 0, values, batch);
  if (values.length !== inputs.length)
    throw new BadRow(`the row has ${values.length} entries, and the model ${inputs.length} inputs`);
  for (const [index, value] of values.entries()) takeValue(inputs, index, value, batch);
}

function takeValue(inputs: readonly RowInput[], index: number, value: unknown, batch: RowBatch): void {
  const { name, datatype, shape, width } = inputs[index] as RowInput;
  const own = width === undefined ? ownShape(inputs[index] as RowInput, value) : (shape as number[]);
  batch.set(index, tensorFromJson(name, datatype, own, value).elements, own);
}

/** A row may have the dimensions that the model leaves free as it likes. */
function ownShape({ name, shape }: RowInput, value: unknown): number[] {
  const found = shapeOfNested(value, name);
  const fits = found.length === shape.length && shape.every((size, axis) => size === undefined || size === found[axis]);
  if (!fits)
    throw new BadRow(
      `input '${name}' takes [${shape.map((size) => size ?? 'any').join(',')}], and the row has [${found.join(',')}]`,
    );
  elementCount(found, name);
  return found;
}

function single(valueOf: (column: string) => unknown, column: string): unknown {
  const value = present(valueOf, column);
  if (isRows(value)) throw new BadRow(`column '${column}' is a list; expected one value`);
  return value;
}

function present(valueOf: (column: string) => unknown, column: string): unknown {
  const value = valueOf(column);
  if (value === undefined || value === null) throw new BadRow(`the row has no value in column '${column}'`);
  return value;
}

const messageMax = 1_000;
const ofElement = /^tensor '.*?': element (\d+) /s;

/** What made a row unfit, for people; what is no fault of a row is thrown on. */
export function badRowMessage(thrown: unknown, plan: ColumnsPlan | undefined): string {
  const isOfRow = thrown instanceof BadRow || (thrown instanceof PlatformError && thrown.code === 'invalid_argument');
  if (!isOfRow) throw thrown;
  const words = thrown.message.replace(ofElement, (all, index: string) => {
    const column = plan?.kind === 'elements' ? plan.columns[Number(index)] : undefined;
    return column === undefined ? all : `column '${column}' `;
  });
  return words.length > messageMax ? `${words.slice(0, messageMax)}...` : words;
}
