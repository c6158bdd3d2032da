import {
  decodeJson,
  isRows,
  JsonPieces,
  shapeOfNested,
  tensorFromJson,
  writeNested,
  type Tensor,
} from '@mooring/tensor';
import { describeSpec, type ModelSignature, type TensorSpec } from '../signature.ts';
import { answerTooLarge, badRequest, type InferRequest } from './infer-request.ts';
import { readRequest, type EncodedAnswer } from './oip-rest.ts';

const noBinary = new Uint8Array(0);

/**
 * Reads the body of `/score` for a model that has no code of its own:
 * - `{"data": rows}` or `{"input_data": rows}`, nested arrays, for a model with one input;
 * - `{"data": {"<input>": rows, ...}}` (or `input_data`) for any model;
 * - `{"inputs": [...]}`, a whole Open Inference Protocol request in JSON.
 * NaN and infinities are the texts "NaN", "Infinity" and "-Infinity".
 */
export function decodeScoreBody(body: Uint8Array, signature: ModelSignature): InferRequest {
  return decodeJson(body, 'the request', (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unknownForm(signature);
    const form = value as Readonly<Record<string, unknown>>;
    if (Array.isArray(form['inputs'])) return readRequest(value, noBinary);
    const given = ['data', 'input_data'].filter((key) => form[key] !== undefined);
    if (given.length !== 1) throw unknownForm(signature);
    return { id: '', inputs: readData(form[given[0] as string], signature), outputs: [], binaryByDefault: false };
  });
}

function readData(data: unknown, signature: ModelSignature): Tensor[] {
  if (typeof data === 'object' && data !== null && !isRows(data)) {
    return Object.entries(data).map(([name, rows]) => {
      const spec = signature.inputs.find((candidate) => candidate.name === name);
      if (spec !== undefined) return readRows(spec, rows);
      throw badRequest('INPUT_UNKNOWN', `'${name.slice(0, 100)}' is not an input of the model; ${inputsOf(signature)}`);
    });
  }
  const only = signature.inputs[0];
  if (only === undefined || signature.inputs.length !== 1) throw unknownForm(signature);
  return [readRows(only, data)];
}

function readRows(spec: TensorSpec, rows: unknown): Tensor {
  const nested = shapeOfNested(rows, spec.name);
  return tensorFromJson(spec.name, spec.datatype, emptyRowsShape(spec, nested), rows);
}

/** `[]` for an input of shape [N,4] means no rows of 4: its nesting cannot say so. */
function emptyRowsShape(spec: TensorSpec, nested: number[]): number[] {
  if (nested.length !== 1 || nested[0] !== 0 || spec.shape.length < 2 || typeof spec.shape[0] !== 'string')
    return nested;
  return spec.shape.map((dimension) => (typeof dimension === 'number' ? dimension : 0));
}

function unknownForm(signature: ModelSignature): Error {
  const example =
    signature.inputs.length === 1
      ? '{"data": rows}'
      : `{"data": {${signature.inputs.map((spec) => `"${spec.name}": rows`).join(', ')}}}`;
  return badRequest(
    'SCORE_BODY_INVALID',
    `the body must be a JSON object of the form ${example}; ${inputsOf(signature)}`,
  );
}

function inputsOf(signature: ModelSignature): string {
  return `the model takes ${signature.inputs.map((spec) => `${spec.name}: ${describeSpec(spec)}`).join(', ')}`;
}

/** Writes the answer of `/score`: an object of output name to nested arrays. */
export function encodeScoreAnswer(outputs: readonly Tensor[], limitBytes: number): EncodedAnswer {
  const json = new JsonPieces(limitBytes, () => {
    throw answerTooLarge(limitBytes);
  });
  json.add('{');
  for (const [index, tensor] of outputs.entries()) {
    json.add(`${index > 0 ? ',' : ''}${JSON.stringify(tensor.name)}:`);
    writeNested(tensor, json);
  }
  json.add('}');
  return { body: json.bytes(), contentType: 'application/json', inferenceHeaderLengthPlusOne: 0 };
}
