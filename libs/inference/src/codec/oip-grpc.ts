import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { ModelInferResponse } from '@mooring/contracts/inference';
import { PlatformError } from '@mooring/errors';
import { rawLengthOf, rawOf, readDataType, tensorFromRaw, type Tensor } from '@mooring/tensor';
import { answerTooLarge, badRequest, refuseParameters, tensorsMax, type InferRequest } from './infer-request.ts';
import { eachField, messageEnd } from './wire.ts';
import { readContents, tensorFromContents, type Contents } from './oip-grpc-contents.ts';

interface WireInput {
  name: string;
  datatype: string;
  shape: number[];
  contents: Contents | undefined;
}

interface WireRequest {
  id: string;
  inputs: WireInput[];
  outputs: string[];
  raw: Uint8Array[];
}

/**
 * Reads the bytes of an `inference.ModelInferRequest`. By hand, not with the generated code: that turns 64-bit integers
 * into Numbers, and copies raw contents. Raw tensors become views of `body`.
 */
export function decodeGrpcRequest(body: Uint8Array): InferRequest {
  const request = parse(body);
  if (request.inputs.length === 0) throw badRequest('INPUTS_EMPTY', 'inputs: must name at least one tensor');
  const inputs = request.raw.length > 0 ? rawInputs(request) : request.inputs.map(typedInput);
  const outputs = request.outputs.map((name) => ({ name, binary: undefined }));
  return { id: request.id, inputs, outputs, binaryByDefault: true };
}

function rawInputs({ inputs, raw }: WireRequest): Tensor[] {
  if (raw.length !== inputs.length) {
    const message = `raw_input_contents has ${raw.length} entries for ${inputs.length} inputs; it needs one for each, in order`;
    throw badRequest('RAW_CONTENTS_COUNT', message);
  }
  const both = inputs.find((input) => input.contents !== undefined);
  if (both !== undefined) {
    throw badRequest('INPUT_DATA_TWICE', `input '${both.name}' has contents although raw_input_contents is used`);
  }
  return inputs.map((input, index) =>
    tensorFromRaw(input.name, readDataType(input.datatype, input.name), input.shape, raw[index] as Uint8Array),
  );
}

function typedInput(input: WireInput): Tensor {
  return tensorFromContents(input.name, readDataType(input.datatype, input.name), input.shape, input.contents);
}

function parse(body: Uint8Array): WireRequest {
  try {
    return readRequest(new BinaryReader(body));
  } catch (thrown) {
    if (thrown instanceof PlatformError) throw thrown;
    const why = thrown instanceof Error ? thrown.message.slice(0, 200) : 'unreadable';
    throw new PlatformError('invalid_argument', 'PROTOBUF_INVALID', `the request is not a ModelInferRequest: ${why}`, {
      cause: thrown,
    });
  }
}

function readRequest(reader: BinaryReader): WireRequest {
  const request: WireRequest = { id: '', inputs: [], outputs: [], raw: [] };
  eachField(reader, reader.len, (field, wire) => {
    if (wire !== WireType.LengthDelimited) return false;
    if (field === 3) request.id = reader.string();
    else if (field === 5) bounded(request.inputs, 'inputs').push(readInput(reader));
    else if (field === 6) bounded(request.outputs, 'outputs').push(readOutput(reader));
    else if (field === 7) bounded(request.raw, 'raw_input_contents').push(reader.bytes());
    else return false;
    return true;
  });
  return request;
}

function readInput(reader: BinaryReader): WireInput {
  const input: WireInput = { name: '', datatype: '', shape: [], contents: undefined };
  const parameters: string[] = [];
  eachField(reader, messageEnd(reader), (field, wire) => {
    if (field === 3 && wire === WireType.Varint) bounded(input.shape, 'shape').push(dimension(reader));
    else if (wire !== WireType.LengthDelimited) return false;
    else if (field === 1) input.name = reader.string();
    else if (field === 2) input.datatype = reader.string();
    else if (field === 3) {
      for (const end = messageEnd(reader); reader.pos < end;) bounded(input.shape, 'shape').push(dimension(reader));
    } else if (field === 4) bounded(parameters, 'parameters').push(readMapKey(reader));
    else if (field === 5) input.contents = readContents(reader, messageEnd(reader), input.contents);
    else return false;
    return true;
  });
  refuseParameters(`input '${input.name.slice(0, 100)}'`, parameters);
  return input;
}

function dimension(reader: BinaryReader): number {
  // Beyond 2^53 it is refused as too large all the same.
  return Number(reader.int64());
}

function readOutput(reader: BinaryReader): string {
  let name = '';
  const parameters: string[] = [];
  eachField(reader, messageEnd(reader), (field, wire) => {
    if (wire !== WireType.LengthDelimited) return false;
    if (field === 1) name = reader.string();
    else if (field === 2) bounded(parameters, 'parameters').push(readMapKey(reader));
    else return false;
    return true;
  });
  refuseParameters(`output '${name.slice(0, 100)}'`, parameters);
  return name;
}

function readMapKey(reader: BinaryReader): string {
  let key = '';
  eachField(reader, messageEnd(reader), (field, wire) => {
    if (field !== 1 || wire !== WireType.LengthDelimited) return false;
    key = reader.string();
    return true;
  });
  return key;
}

function bounded<T>(list: T[], what: string): T[] {
  if (list.length >= tensorsMax) throw badRequest('REQUEST_INVALID', `${what}: more than ${tensorsMax} entries`);
  return list;
}

/** The bytes of an `inference.ModelInferResponse`, always with raw contents, as Triton answers. */
export function encodeGrpcAnswer(
  answer: { modelName: string; modelVersion: string; id: string; outputs: readonly Tensor[] },
  limitBytes: number,
): Buffer {
  const bytes = answer.outputs.reduce((sum, tensor) => sum + rawLengthOf(tensor), 0);
  if (bytes > limitBytes) throw answerTooLarge(limitBytes);
  const { outputs, ...named } = answer;
  const message = ModelInferResponse.encode({
    ...named,
    parameters: {},
    outputs: outputs.map(({ name, datatype, shape }) => ({
      name,
      datatype,
      shape: [...shape],
      parameters: {},
      contents: undefined,
    })),
    rawOutputContents: outputs.map(rawOf),
  }).finish();
  return Buffer.from(message.buffer as ArrayBuffer, message.byteOffset, message.byteLength);
}
