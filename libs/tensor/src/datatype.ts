/// <reference lib="esnext.float16" />

/** Datatypes of the Open Inference Protocol, with Triton's BF16. */
export const dataTypes = [
  'BOOL',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'FP16',
  'FP32',
  'FP64',
  'BYTES',
  'BF16',
] as const;

export type DataType = (typeof dataTypes)[number];
export type FixedDataType = Exclude<DataType, 'BYTES'>;

const widths: Readonly<Record<FixedDataType, number>> = {
  BOOL: 1,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  FP16: 2,
  FP32: 4,
  FP64: 8,
  BF16: 2,
};

export function isDataType(text: unknown): text is DataType {
  return (dataTypes as readonly unknown[]).includes(text);
}

/** Bytes of one element. */
export function widthOf(datatype: FixedDataType): number {
  return widths[datatype];
}

const constructors = {
  BOOL: Uint8Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  FP16: Float16Array,
  FP32: Float32Array,
  FP64: Float64Array,
  // JavaScript has no bfloat16: its bits.
  BF16: Uint16Array,
} as const satisfies Record<FixedDataType, unknown>;

export type ElementsOf<T extends FixedDataType> = InstanceType<(typeof constructors)[T]>;
export type Elements = ElementsOf<FixedDataType>;

/** `count` elements, all zero. */
export function newElements<T extends FixedDataType>(datatype: T, count: number): ElementsOf<T> {
  return new constructors[datatype](count) as ElementsOf<T>;
}

/**
 * `bytes` (little-endian, a whole number of elements) seen as elements. A view of the same memory where the offset is
 * aligned, else of a copy. Every platform that Node runs on is little-endian.
 */
export function viewElements<T extends FixedDataType>(datatype: T, bytes: Uint8Array): ElementsOf<T> {
  const width = widths[datatype];
  if (bytes.byteLength % width !== 0)
    throw new RangeError(`${bytes.byteLength} bytes are not whole ${datatype} elements`);
  // Not bytes.slice(): on a Buffer that is another view of the same memory.
  const aligned = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
  return new constructors[datatype](
    aligned.buffer as ArrayBuffer,
    aligned.byteOffset,
    aligned.byteLength / width,
  ) as ElementsOf<T>;
}

/** The memory of `elements`, without a copy. */
export function bytesOf(elements: ArrayBufferView): Uint8Array {
  return new Uint8Array(elements.buffer as ArrayBuffer, elements.byteOffset, elements.byteLength);
}
