import { tensorError } from './tensor-error.ts';

/** More dimensions than any model has; bounds recursion over nested data. */
export const rankMax = 32;
/** ONNX Runtime and JavaScript both take larger ones, memory does not. */
const dimensionMax = 2 ** 31 - 1;
const elementsMax = 2 ** 32;

/**
 * Number of elements of a tensor of `shape`; 1 for a scalar. Throws TENSOR_SHAPE_INVALID for a dimension that is not a
 * whole number from 0 to 2^31-1, too many dimensions, or a product beyond 2^32 (never a number that has overflowed).
 */
export function elementCount(shape: readonly number[], tensor: string): number {
  if (shape.length > rankMax) {
    throw tensorError('TENSOR_SHAPE_INVALID', tensor, `has ${shape.length} dimensions`, `at most ${rankMax}`);
  }
  let product = 1;
  let empty = false;
  for (const [index, dimension] of shape.entries()) {
    if (!Number.isInteger(dimension) || dimension < 0 || dimension > dimensionMax) {
      throw tensorError(
        'TENSOR_SHAPE_INVALID',
        tensor,
        `dimension ${index} is ${dimension}`,
        `a whole number from 0 to ${dimensionMax}`,
      );
    }
    if (dimension === 0) empty = true;
    else product *= dimension;
    if (product > elementsMax) {
      throw tensorError(
        'TENSOR_SHAPE_INVALID',
        tensor,
        `shape ${formatShape(shape)} has too many elements`,
        `at most ${elementsMax}`,
      );
    }
  }
  return empty ? 0 : product;
}

/** `[2,3]`; a symbolic or unknown dimension by its name or as -1. */
export function formatShape(shape: readonly (number | string)[]): string {
  const shown = shape.slice(0, rankMax).join(',');
  return shape.length > rankMax ? `[${shown},...]` : `[${shown}]`;
}
