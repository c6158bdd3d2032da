import type { TensorSpec } from '@mooring/inference';
import type { DataType } from '@mooring/tensor';

/** One input of a model, as one row has it. */
export interface RowInput {
  name: string;
  datatype: DataType;
  /** Without the dimension of rows; undefined: the row's own. */
  shape: readonly (number | undefined)[];
  /** Elements of one row; undefined: the row's own. */
  width: number | undefined;
  /** The model's first dimension is that of rows. */
  hasRows: boolean;
}

/** A first dimension that is free, or one, is that of rows; else a row is the whole input. */
export function rowInputOf({ name, datatype, shape }: TensorSpec): RowInput {
  const hasRows = typeof shape[0] === 'string' || shape[0] === 1;
  const own = (hasRows ? shape.slice(1) : shape).map((size) => (typeof size === 'number' ? size : undefined));
  const width = own.reduce<number | undefined>(
    (product, size) => (product === undefined || size === undefined ? undefined : product * size),
    1,
  );
  return { name, datatype, shape: own, width, hasRows };
}
