import { decodeBytesElements, encodeBytesElements, rawBytesLength, type BytesElement } from './bytes-elements.ts';
import { isDataType, viewElements, widthOf, type DataType, type Elements, type FixedDataType } from './datatype.ts';
import { elementCount, formatShape } from './shape.ts';
import { tensorError } from './tensor-error.ts';

/** Elements row-major; their number is the product of the shape. */
export interface FixedTensor {
  readonly name: string;
  readonly datatype: FixedDataType;
  readonly shape: readonly number[];
  readonly elements: Elements;
}

export interface BytesTensor {
  readonly name: string;
  readonly datatype: 'BYTES';
  readonly shape: readonly number[];
  readonly elements: readonly BytesElement[];
}

export type Tensor = FixedTensor | BytesTensor;

/** `text` as a datatype, or TENSOR_DATATYPE_UNKNOWN. */
export function readDataType(text: unknown, tensor: string): DataType {
  if (isDataType(text)) return text;
  const shown = typeof text === 'string' ? `'${text.slice(0, 40)}'` : typeof text;
  throw tensorError(
    'TENSOR_DATATYPE_UNKNOWN',
    tensor,
    `datatype ${shown} is not known`,
    'one such as FP32, INT64, BOOL or BYTES',
  );
}

/** A tensor of raw little-endian bytes, as a view of them where they are aligned. */
export function tensorFromRaw(name: string, datatype: DataType, shape: readonly number[], raw: Uint8Array): Tensor {
  const count = elementCount(shape, name);
  if (datatype === 'BYTES') return { name, datatype, shape, elements: decodeBytesElements(raw, count, name) };
  const expected = count * widthOf(datatype);
  if (raw.byteLength !== expected) {
    throw tensorError(
      'TENSOR_SHAPE_MISMATCH',
      name,
      `has ${raw.byteLength} bytes of data`,
      `${expected} for ${datatype} ${formatShape(shape)}`,
    );
  }
  if (datatype === 'BOOL' && raw.some((byte) => byte > 1)) {
    throw tensorError(
      'TENSOR_VALUE_INVALID',
      name,
      'BOOL data holds bytes other than 0 and 1',
      'one byte, 0 or 1, for each element',
    );
  }
  return { name, datatype, shape, elements: viewElements(datatype, raw) };
}

/** The raw little-endian bytes; a view of the tensor's own memory unless it is BYTES. */
export function rawOf(tensor: Tensor): Buffer {
  if (tensor.datatype === 'BYTES') return encodeBytesElements(tensor.elements);
  const { buffer, byteOffset, byteLength } = tensor.elements;
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** Length of rawOf without making it. */
export function rawLengthOf(tensor: Tensor): number {
  return tensor.datatype === 'BYTES' ? rawBytesLength(tensor.elements) : tensor.elements.byteLength;
}
