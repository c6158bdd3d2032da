import { Operation } from '@mooring/contracts/scoring';

/** Only these are work of a model: they are mirrored, counted as picks, and tell how fast a deployment is. */
export function isInference(operation: Operation): boolean {
  return operation === Operation.OPERATION_SCORE || operation === Operation.OPERATION_INFER;
}
