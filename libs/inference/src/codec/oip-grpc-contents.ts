import { WireType, type BinaryReader } from '@bufbuild/protobuf/wire';
import {
  elementCount,
  formatShape,
  newElements,
  tensorError,
  type DataType,
  type Elements,
  type FixedDataType,
  type Tensor,
} from '@mooring/tensor';
import { badRequest } from './infer-request.ts';
import { eachField, messageEnd } from './wire.ts';

/** The list of an InferTensorContents that holds values. 64-bit integers are bigint, the rest what JavaScript has. */
export interface Contents {
  field: number;
  values: (number | bigint | boolean | Uint8Array)[];
}

/** Typed values cost many times their bytes in memory; more than this belong in raw_input_contents. */
const valuesMax = 8_388_608;

type Scalar = (reader: BinaryReader) => number | bigint | boolean | Uint8Array;

const fields: Readonly<Record<number, { name: string; wire: WireType; read: Scalar }>> = {
  1: { name: 'bool_contents', wire: WireType.Varint, read: (reader) => reader.bool() },
  2: { name: 'int_contents', wire: WireType.Varint, read: (reader) => reader.int32() },
  3: { name: 'int64_contents', wire: WireType.Varint, read: (reader) => BigInt(reader.int64()) },
  4: { name: 'uint_contents', wire: WireType.Varint, read: (reader) => reader.uint32() },
  5: { name: 'uint64_contents', wire: WireType.Varint, read: (reader) => BigInt(reader.uint64()) },
  6: { name: 'fp32_contents', wire: WireType.Bit32, read: (reader) => reader.float() },
  7: { name: 'fp64_contents', wire: WireType.Bit64, read: (reader) => reader.double() },
  8: { name: 'bytes_contents', wire: WireType.LengthDelimited, read: (reader) => reader.bytes() },
};

/** The one list that may hold values of each datatype; FP16 and BF16 have none. */
const fieldOf: Readonly<Partial<Record<DataType, number>>> = {
  BOOL: 1,
  INT8: 2,
  INT16: 2,
  INT32: 2,
  INT64: 3,
  UINT8: 4,
  UINT16: 4,
  UINT32: 4,
  UINT64: 5,
  FP32: 6,
  FP64: 7,
  BYTES: 8,
};

/** Reads an InferTensorContents up to `end`; `before` is what an earlier part of the same field held. */
export function readContents(reader: BinaryReader, end: number, before: Contents | undefined): Contents {
  let contents: Contents | undefined = before;
  eachField(reader, end, (number, wire) => {
    const field = fields[number];
    if (field === undefined) return false;
    contents ??= { field: number, values: [] };
    if (contents.values.length === 0) contents.field = number;
    if (contents.field !== number) {
      const message = `contents has both ${fields[contents.field]?.name} and ${field.name}; only one may be set`;
      throw badRequest('CONTENTS_AMBIGUOUS', message);
    }
    if (wire === field.wire) contents.values.push(field.read(reader));
    else if (wire === WireType.LengthDelimited) {
      readPacked(reader, field.read, contents.values);
    } else return false;
    if (contents.values.length > valuesMax) {
      throw badRequest(
        'CONTENTS_TOO_MANY',
        `contents has more than ${valuesMax} values; send them in raw_input_contents`,
      );
    }
    return true;
  });
  return contents ?? { field: 0, values: [] };
}

function readPacked(reader: BinaryReader, read: Scalar, values: Contents['values']): void {
  const end = messageEnd(reader);
  while (reader.pos < end && values.length <= valuesMax) values.push(read(reader));
  if (reader.pos > end) throw new RangeError('a packed list reaches beyond its end');
}

/** A tensor of typed contents. Throws TENSOR_SHAPE_MISMATCH, TENSOR_CONTENTS_MISMATCH or TENSOR_VALUE_OUT_OF_RANGE. */
export function tensorFromContents(
  name: string,
  datatype: DataType,
  shape: readonly number[],
  contents: Contents | undefined,
): Tensor {
  const count = elementCount(shape, name);
  const values = contents?.values ?? [];
  const field = fieldOf[datatype];
  if (values.length > 0 && field !== contents?.field) {
    const right = field === undefined ? 'raw_input_contents' : fields[field]?.name;
    const message = `input '${name.slice(0, 100)}' is ${datatype} and its values are in ${fields[contents?.field ?? 0]?.name}; they belong in ${right}`;
    throw badRequest('TENSOR_CONTENTS_MISMATCH', message);
  }
  if (values.length !== count) {
    throw tensorError(
      'TENSOR_SHAPE_MISMATCH',
      name,
      `contents has ${values.length} elements`,
      `${count} for shape ${formatShape(shape)}`,
    );
  }
  if (datatype === 'BYTES') return { name, datatype, shape, elements: values as Uint8Array[] };
  return { name, datatype, shape, elements: fill(name, datatype, values) };
}

function fill(name: string, datatype: FixedDataType, values: Contents['values']): Elements {
  const elements = newElements(datatype, values.length) as unknown as (number | bigint)[];
  const exact = datatype !== 'FP32' && datatype !== 'FP64';
  for (const [index, value] of values.entries()) {
    const plain = typeof value === 'boolean' ? Number(value) : (value as number | bigint);
    elements[index] = plain;
    // int_contents holds 32 bits; an INT8 must fit its own 8.
    if (exact && elements[index] !== plain) {
      throw tensorError('TENSOR_VALUE_OUT_OF_RANGE', name, `element ${index} (${plain}) does not fit ${datatype}`);
    }
  }
  return elements as unknown as Elements;
}
