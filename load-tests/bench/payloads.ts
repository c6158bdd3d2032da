import { seeded } from '@mooring/testing';
import { cnnShape } from './models/cnn.ts';
import { bytesField, intField } from './models/onnx-writer.ts';

/** One input tensor and what is to be compared of the answer. */
export interface Payload {
  input: string;
  shape: readonly number[];
  data: readonly number[];
  output: string;
}

export type ModelName = 'iris' | 'cnn';

const irisRow = [5.1, 3.5, 1.4, 0.2];

export const payloads: Readonly<Record<ModelName, Payload>> = {
  iris: { input: 'input', shape: [1, 4], data: irisRow, output: 'probabilities' },
  cnn: { input: 'image', shape: cnnShape, data: picture(), output: 'probabilities' },
};

/** What scoring scripts get; their sum is exact in any number format. */
export const scriptNumbers = [1.5, 2.5, 3, 4.25, 5, 6, 7, 8];

function picture(): number[] {
  const random = seeded(11);
  return Array.from({ length: 3 * 32 * 32 }, () => Math.round(random() * 1000) / 1000);
}

export function irisRows(rows: number): Payload {
  const data = Array.from({ length: rows * 4 }, (_, index) => irisRow[index % 4] ?? 0);
  return { input: 'input', shape: [rows, 4], data, output: 'label' };
}

/** A flat list as nested ones. */
export function nest(data: readonly number[], shape: readonly number[]): unknown[] {
  if (shape.length <= 1) return [...data];
  const step = data.length / (shape[0] ?? 1);
  return Array.from({ length: shape[0] ?? 0 }, (_, index) =>
    nest(data.slice(index * step, (index + 1) * step), shape.slice(1)),
  );
}

/** The Open Inference Protocol's JSON. `only`: the answer is to have this output alone. */
export function oipJson({ input, shape, data }: Payload, only?: string): Buffer {
  const outputs = only === undefined ? {} : { outputs: [{ name: only }] };
  return Buffer.from(JSON.stringify({ inputs: [{ name: input, shape, datatype: 'FP32', data }], ...outputs }));
}

/** Rows as the Azure ML inference server's scoring scripts usually take them. */
export function rowsJson({ shape, data }: Pick<Payload, 'shape' | 'data'>): Buffer {
  return Buffer.from(JSON.stringify({ data: nest(data, shape) }));
}

/** The binary tensor extension: JSON, then the bytes; `jsonBytes` goes into a header. */
export function oipBinary({ input, shape, data, output }: Payload): { body: Buffer; jsonBytes: number } {
  const raw = rawFloats(data);
  const json = Buffer.from(
    JSON.stringify({
      inputs: [{ name: input, shape, datatype: 'FP32', parameters: { binary_data_size: raw.length } }],
      outputs: [{ name: output, parameters: { binary_data: true } }],
    }),
  );
  return { body: Buffer.concat([json, raw]), jsonBytes: json.length };
}

/** ModelInferRequest with raw contents. */
export function inferRequest(model: string, { input, shape, data }: Payload): Buffer {
  const tensor = [bytesField(1, input), bytesField(2, 'FP32'), ...shape.map((size) => intField(3, size))];
  return Buffer.concat([bytesField(1, model), bytesField(5, ...tensor), bytesField(7, rawFloats(data))]);
}

export function rawFloats(data: readonly number[]): Buffer {
  return Buffer.from(Float32Array.from(data).buffer);
}

/** All bytes of an HTTP/1.1 POST. */
export function httpRequest(
  path: string,
  host: string,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
): Buffer {
  const lines = [
    `POST ${path} HTTP/1.1`,
    `Host: ${host}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${body.length}`,
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}
