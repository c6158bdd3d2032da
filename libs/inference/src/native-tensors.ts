import { PlatformError } from '@mooring/errors';
import { bytesOf, tensorError, textOf, viewElements, type DataType, type Elements, type Tensor } from '@mooring/tensor';
import type { Tensor as OrtTensor } from 'onnxruntime-node';

/** Element types by ONNX's numbers. */
export const datatypesByNumber: Readonly<Record<number, DataType>> = {
  1: 'FP32',
  2: 'UINT8',
  3: 'INT8',
  4: 'UINT16',
  5: 'INT16',
  6: 'INT32',
  7: 'INT64',
  8: 'BYTES',
  9: 'BOOL',
  10: 'FP16',
  11: 'FP64',
  12: 'UINT32',
  13: 'UINT64',
};
/** By the names that ONNX Runtime's JavaScript uses. */
const ortTypes: Readonly<Partial<Record<DataType, OrtTensor.Type>>> = {
  BOOL: 'bool',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
};
const datatypeOf = new Map<string, DataType>(
  Object.entries(ortTypes).map(([datatype, type]) => [type, datatype as DataType]),
);

/** What the native session takes and gives; plain, so that it can be sent to a thread. */
export interface NativeTensor {
  type: string;
  dims: readonly number[];
  data: Elements | string[];
  location: 'cpu';
  size: number;
}

/**
 * A plain object in place of `new ort.Tensor`: that class holds halves in a Float16Array, which the native side of
 * onnxruntime-node 1.30 does not know ("not enough space: expected 4, got 0"); it takes them as Uint16Array.
 */
export function feedOf(tensor: Tensor): NativeTensor {
  return {
    type: ortTypes[tensor.datatype] ?? '',
    dims: tensor.shape,
    data: dataOf(tensor),
    location: 'cpu',
    size: tensor.elements.length,
  };
}

function dataOf(tensor: Tensor): Elements | string[] {
  if (tensor.datatype === 'BYTES')
    return tensor.elements.map((element, index) => modelText(textOf(element, index, tensor.name), index, tensor));
  return tensor.datatype === 'FP16' ? viewElements('UINT16', bytesOf(tensor.elements)) : tensor.elements;
}

/** onnxruntime-node hands texts over as C strings: the model would silently see less. */
function modelText(text: string, index: number, tensor: Tensor): string {
  if (!text.includes('\0')) return text;
  throw tensorError('TENSOR_VALUE_INVALID', tensor.name, `element ${index} holds a NUL character`, 'text without NUL');
}

export function tensorOf(name: string, value: NativeTensor): Tensor {
  const datatype = datatypeOf.get(value.type);
  if (datatype === undefined)
    throw new PlatformError('model_failed', 'MODEL_OUTPUT_UNSUPPORTED', `output '${name}' has type ${value.type}`);
  if (datatype === 'BYTES') return { name, datatype, shape: [...value.dims], elements: value.data as string[] };
  return { name, datatype, shape: [...value.dims], elements: value.data as Elements };
}
