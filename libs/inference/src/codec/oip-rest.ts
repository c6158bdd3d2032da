import {
  decodeJson,
  formatShape,
  JsonPieces,
  rawLengthOf,
  rawOf,
  readDataType,
  tensorFromJson,
  tensorFromRaw,
  widthOf,
  writeFlat,
  type Tensor,
} from '@mooring/tensor';
import type { ModelSignature, TensorSpec } from '../signature.ts';
import {
  answerTooLarge,
  badRequest,
  refuseParameters,
  tensorsMax,
  type InferRequest,
  type RequestedOutput,
} from './infer-request.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Reads an Open Inference Protocol request: JSON, JSON followed by binary tensors, or (header length 0) one raw tensor.
 * `headerLengthPlusOne` is Inference-Header-Content-Length plus 1; 0 = no such header. Binary tensors become views of
 * `body`.
 */
export function decodeRestRequest(
  body: Uint8Array,
  headerLengthPlusOne: number,
  signature: ModelSignature,
): InferRequest {
  if (headerLengthPlusOne === 1) return decodeRawBody(body, signature);
  const jsonBytes = headerLengthPlusOne === 0 ? body.byteLength : headerLengthPlusOne - 1;
  if (jsonBytes > body.byteLength) {
    throw badRequest(
      'INFERENCE_HEADER_LENGTH_INVALID',
      `Inference-Header-Content-Length is ${jsonBytes} and the body has only ${body.byteLength} bytes`,
    );
  }
  const binary = body.subarray(jsonBytes);
  return decodeJson(body.subarray(0, jsonBytes), 'the request', (value) => readRequest(value, binary));
}

/** Reads the JSON part, already parsed; `binary` is what follows it. Call it inside decodeJson. */
export function readRequest(value: unknown, binary: Uint8Array): InferRequest {
  const request = objectOf(value, 'the request');
  const id = request['id'] ?? '';
  if (typeof id !== 'string') throw badRequest('REQUEST_INVALID', 'id: must be a text');
  const parameters = parametersOf(request, 'the request');
  const inputs = listOf(request['inputs'], 'inputs');
  if (inputs.length === 0) throw badRequest('INPUTS_EMPTY', 'inputs: must name at least one tensor');
  const take = binaryTaker(binary);
  const tensors = inputs.map((input, index) => readInput(input, `inputs[${index}]`, take));
  take.finish();
  return {
    id,
    inputs: tensors,
    outputs: listOf(request['outputs'] ?? [], 'outputs').map(readRequestedOutput),
    binaryByDefault: flagOf(parameters, 'binary_data_output', 'the request') ?? false,
  };
}

interface BinaryTaker {
  (bytes: number, path: string): Uint8Array;
  finish(): void;
}

/** Hands out the binary part piece by piece. */
function binaryTaker(binary: Uint8Array): BinaryTaker {
  let at = 0;
  const take = (bytes: number, path: string): Uint8Array => {
    if (bytes > binary.byteLength - at) {
      throw badRequest(
        'BINARY_SIZE_MISMATCH',
        `${path}: binary_data_size is ${bytes} and ${binary.byteLength - at} of the ${binary.byteLength} binary bytes are left`,
      );
    }
    at += bytes;
    return binary.subarray(at - bytes, at);
  };
  const finish = (): void => {
    if (at === binary.byteLength) return;
    const message = `the inputs claim ${at} binary bytes and ${binary.byteLength} follow the JSON part`;
    throw badRequest('BINARY_SIZE_MISMATCH', message);
  };
  return Object.assign(take, { finish });
}

function readInput(value: unknown, path: string, take: BinaryTaker): Tensor {
  const input = objectOf(value, path);
  const name = nameOf(input, path);
  const datatype = readDataType(input['datatype'], name);
  const shape = listOf(input['shape'], `${path}.shape`) as number[];
  const parameters = parametersOf(input, path);
  refuseParameters(path, Object.keys(parameters));
  const size = parameters['binary_data_size'];
  const hasData = input['data'] !== undefined;
  if (size === undefined) {
    if (!hasData)
      throw badRequest('INPUT_WITHOUT_DATA', `${path}: has neither data nor the parameter binary_data_size`);
    return tensorFromJson(name, datatype, shape, input['data']);
  }
  if (hasData) throw badRequest('INPUT_DATA_TWICE', `${path}: has both data and the parameter binary_data_size`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw badRequest('BINARY_SIZE_INVALID', `${path}: binary_data_size must be a whole number of bytes`);
  }
  return tensorFromRaw(name, datatype, shape, take(size, path));
}

function readRequestedOutput(value: unknown, index: number): RequestedOutput {
  const path = `outputs[${index}]`;
  const output = objectOf(value, path);
  const parameters = parametersOf(output, path);
  refuseParameters(path, Object.keys(parameters));
  return { name: nameOf(output, path), binary: flagOf(parameters, 'binary_data', path) };
}

/** The whole body is the one tensor that the model takes; its shape follows from its size. */
function decodeRawBody(body: Uint8Array, signature: ModelSignature): InferRequest {
  const spec = signature.inputs[0];
  if (spec === undefined || signature.inputs.length !== 1) {
    throw badRequest(
      'RAW_REQUEST_NOT_POSSIBLE',
      `a raw binary request needs a model with one input; this one has ${signature.inputs.length}`,
    );
  }
  const raw = spec.datatype === 'BYTES' ? oneBytesElement(body) : body;
  const input = tensorFromRaw(spec.name, spec.datatype, rawBodyShape(spec, body), raw);
  return { id: '', inputs: [input], outputs: [], binaryByDefault: true };
}

function oneBytesElement(body: Uint8Array): Uint8Array {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32LE(body.byteLength);
  return Buffer.concat([prefix, body]);
}

function rawBodyShape(spec: TensorSpec, body: Uint8Array): number[] {
  // Batch 1; what else is free follows from the size if it is one dimension.
  const shape = spec.shape.map((dimension, index) => (typeof dimension === 'string' && index === 0 ? 1 : dimension));
  const free = shape.filter((dimension) => typeof dimension === 'string').length;
  if (spec.datatype === 'BYTES') return shape.map(() => 1);
  if (free > 1) {
    throw badRequest(
      'RAW_REQUEST_NOT_POSSIBLE',
      `a raw binary request cannot tell the shape of ${formatShape(spec.shape)}: more than one dimension is free`,
    );
  }
  const fixed = shape.reduce<number>(
    (product, dimension) => product * (typeof dimension === 'number' ? dimension : 1),
    1,
  );
  const elements = body.byteLength / widthOf(spec.datatype);
  return shape.map((dimension) =>
    typeof dimension === 'number' ? dimension : Math.floor(elements / Math.max(1, fixed)),
  );
}

export interface RestAnswer {
  modelName: string;
  modelVersion: string;
  request: InferRequest;
  outputs: readonly Tensor[];
}

export interface EncodedAnswer {
  body: Buffer;
  contentType: string;
  /** Of the binary tensor extension; 0 when nothing is binary. */
  inferenceHeaderLengthPlusOne: number;
}

/** Writes the answer: JSON, followed by the outputs that were asked for in binary, in order. */
export function encodeRestAnswer(answer: RestAnswer, limitBytes: number): EncodedAnswer {
  const { request, outputs } = answer;
  const asked = new Map(request.outputs.map((output) => [output.name, output.binary]));
  const binary = outputs.filter((tensor) => asked.get(tensor.name) ?? request.binaryByDefault);
  const binaryBytes = binary.reduce((sum, tensor) => sum + rawLengthOf(tensor), 0);
  const tooLarge = (): never => {
    throw answerTooLarge(limitBytes);
  };
  if (binaryBytes > limitBytes) tooLarge();
  const json = new JsonPieces(limitBytes - binaryBytes, tooLarge);
  json.add(`{"model_name":${JSON.stringify(answer.modelName)},"model_version":${JSON.stringify(answer.modelVersion)}`);
  if (request.id !== '') json.add(`,"id":${JSON.stringify(request.id)}`);
  json.add(',"outputs":[');
  for (const [index, tensor] of outputs.entries()) {
    json.add(
      `${index > 0 ? ',' : ''}{"name":${JSON.stringify(tensor.name)},"datatype":"${tensor.datatype}","shape":[${tensor.shape.join(',')}],`,
    );
    if (binary.includes(tensor)) json.add(`"parameters":{"binary_data_size":${rawLengthOf(tensor)}}`);
    else {
      json.add('"data":');
      writeFlat(tensor, json);
    }
    json.add('}');
  }
  json.add(']}');
  const head = json.bytes();
  if (binary.length === 0) return { body: head, contentType: 'application/json', inferenceHeaderLengthPlusOne: 0 };
  return {
    body: Buffer.concat([head, ...binary.map(rawOf)]),
    contentType: 'application/octet-stream',
    inferenceHeaderLengthPlusOne: head.byteLength + 1,
  };
}

function objectOf(value: unknown, path: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw badRequest('REQUEST_INVALID', `${path}: must be a JSON object`);
}

function listOf(value: unknown, path: string): unknown[] {
  if (!Array.isArray(value)) throw badRequest('REQUEST_INVALID', `${path}: must be a list`);
  if (value.length > tensorsMax) throw badRequest('REQUEST_INVALID', `${path}: has more than ${tensorsMax} entries`);
  return value;
}

function parametersOf(owner: JsonObject, path: string): JsonObject {
  // tritonclient leaves it out, KServe's client sends null.
  return objectOf(owner['parameters'] ?? {}, `${path}: parameters`);
}

function nameOf(owner: JsonObject, path: string): string {
  const name = owner['name'];
  if (typeof name === 'string' && name !== '') return name;
  throw badRequest('REQUEST_INVALID', `${path}: name must be a text`);
}

function flagOf(parameters: JsonObject, name: string, path: string): boolean | undefined {
  const value = parameters[name];
  if (value === undefined || typeof value === 'boolean') return value;
  throw badRequest('REQUEST_INVALID', `${path}: parameter ${name} must be true or false`);
}
