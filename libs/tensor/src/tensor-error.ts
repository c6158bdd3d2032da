import { PlatformError } from '@mooring/errors';

export type TensorReason =
  | 'TENSOR_SHAPE_INVALID'
  | 'TENSOR_SHAPE_MISMATCH'
  | 'TENSOR_DATATYPE_UNKNOWN'
  | 'TENSOR_DATATYPE_NOT_IN_JSON'
  | 'TENSOR_BYTES_MALFORMED'
  | 'TENSOR_VALUE_INVALID'
  | 'TENSOR_VALUE_OUT_OF_RANGE'
  | 'TENSOR_TEXT_NOT_UTF8';

/** A tensor that the caller sent and that is wrong: `invalid_argument`, naming the tensor and what would be right. */
export function tensorError(reason: TensorReason, tensor: string, problem: string, expected?: string): PlatformError {
  const name = tensor.length > 100 ? `${tensor.slice(0, 100)}...` : tensor;
  const right = expected === undefined ? '' : `; expected ${expected}`;
  return new PlatformError('invalid_argument', reason, `tensor '${name}': ${problem}${right}`, {
    problems: [{ path: name, problem, ...(expected === undefined ? {} : { expected }) }],
  });
}
