/** The few fields of ONNX's protobuf that the benchmark's own model needs. */

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  return Buffer.from([...bytes, left]);
}

/** A field of length and bytes: a message, a string, packed numbers. */
export function bytesField(number: number, ...parts: readonly (Buffer | string)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  return Buffer.concat([varint(number * 8 + 2), varint(content.length), content]);
}

export function intField(number: number, value: number): Buffer {
  return Buffer.concat([varint(number * 8), varint(value)]);
}

const floatType = 1;
const intAttribute = 2;
const intsAttribute = 7;

/** TensorProto of float32. */
export function tensor(name: string, shape: readonly number[], values: Float32Array): Buffer {
  const raw = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return Buffer.concat([
    ...shape.map((size) => intField(1, size)),
    intField(2, floatType),
    bytesField(8, name),
    bytesField(9, raw),
  ]);
}

/** NodeProto; attributes are whole numbers or lists of them. */
export function node(
  operator: string,
  inputs: readonly string[],
  output: string,
  attributes: Readonly<Record<string, number | readonly number[]>> = {},
): Buffer {
  const written = Object.entries(attributes).map(([name, value]) =>
    typeof value === 'number'
      ? bytesField(5, bytesField(1, name), intField(3, value), intField(20, intAttribute))
      : bytesField(5, bytesField(1, name), ...value.map((one) => intField(8, one)), intField(20, intsAttribute)),
  );
  return Buffer.concat([
    ...inputs.map((input) => bytesField(1, input)),
    bytesField(2, output),
    bytesField(4, operator),
    ...written,
  ]);
}

/** ValueInfoProto of float32; a string is a dimension of any size. */
export function valueInfo(name: string, shape: readonly (number | string)[]): Buffer {
  const dimensions = shape.map((size) =>
    bytesField(1, typeof size === 'number' ? intField(1, size) : bytesField(2, size)),
  );
  const type = bytesField(1, intField(1, floatType), bytesField(2, ...dimensions));
  return Buffer.concat([bytesField(1, name), bytesField(2, type)]);
}

export interface Graph {
  name: string;
  nodes: readonly Buffer[];
  initializers: readonly Buffer[];
  inputs: readonly Buffer[];
  outputs: readonly Buffer[];
}

/** ModelProto with operator set 17. */
export function model(graph: Graph): Buffer {
  const content = Buffer.concat([
    ...graph.nodes.map((one) => bytesField(1, one)),
    bytesField(2, graph.name),
    ...graph.initializers.map((one) => bytesField(5, one)),
    ...graph.inputs.map((one) => bytesField(11, one)),
    ...graph.outputs.map((one) => bytesField(12, one)),
  ]);
  return Buffer.concat([
    intField(1, 9),
    bytesField(2, 'mooring-bench'),
    bytesField(7, content),
    bytesField(8, intField(2, 17)),
  ]);
}
