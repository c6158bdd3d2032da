import { describe, expect, it } from 'vitest';
import { ModelInferRequest } from '@mooring/contracts/inference';
import { Protocol } from '@mooring/contracts/scoring';
import { errorOf, type ModelRuntime, type ScoreCall } from '@mooring/scoring-stream';
import { decodeGrpcRequest } from './index.ts';
import { fixtureJson, inferJson, jsonOf, never, scoreCall, scoreJson, startOnnx } from './testing.ts';

const good = { name: 'input', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4] };
const one = (fields: object): ScoreCall => inferJson({ inputs: [{ ...good, ...fields }] });
const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

const jsonCalls: Record<string, ScoreCall> = {
  'an empty body': inferJson(''),
  'a cut body': inferJson('{"inputs":[{"name":"input"'),
  'no object': inferJson('[]'),
  null: inferJson('null'),
  'a number': inferJson('7'),
  'not UTF-8': scoreCall({ body: Buffer.from([0x7b, 0xff, 0xfe]) }),
  'no inputs': inferJson({}),
  'empty inputs': inferJson({ inputs: [] }),
  'inputs as an object': inferJson({ inputs: { input: good } }),
  'an input that is null': inferJson({ inputs: [null] }),
  'an input that is a list': inferJson({ inputs: [[]] }),
  'thousands of inputs': inferJson({ inputs: Array.from({ length: 5_000 }, () => good) }),
  'an input twice': inferJson({ inputs: [good, good] }),
  'a name that is missing': one({ name: undefined }),
  'a name that is a number': one({ name: 5 }),
  'a name that is unknown': one({ name: 'x' }),
  'a name from the prototype': one({ name: '__proto__' }),
  'a very long name': one({ name: 'x'.repeat(100_000) }),
  'a datatype that is unknown': one({ datatype: 'FLOAT' }),
  'a datatype in lower case': one({ datatype: 'fp32' }),
  'a datatype that is missing': one({ datatype: undefined }),
  'a datatype that is an object': one({ datatype: {} }),
  'another datatype': one({ datatype: 'FP64' }),
  'BF16 in JSON': one({ datatype: 'BF16' }),
  'a shape that is missing': one({ shape: undefined }),
  'a shape that is a number': one({ shape: 4 }),
  'a shape of texts': one({ shape: ['1', '4'] }),
  'a negative dimension': one({ shape: [-1, 4] }),
  'a fractional dimension': one({ shape: [0.5, 8] }),
  'a null dimension': one({ shape: [null, 4] }),
  'a dimension of 2^53+1': inferJson(
    '{"inputs":[{"name":"input","shape":[9007199254740993,4],"datatype":"FP32","data":[]}]}',
  ),
  'a product that overflows': one({ shape: [2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31 - 1], data: [] }),
  'a product that wraps to zero': one({ shape: [65_536, 65_536, 65_536, 65_536], data: [] }),
  'thousands of dimensions': one({ shape: Array.from({ length: 1_000 }, () => 1) }),
  'a wrong rank': one({ shape: [4] }),
  'a wrong width': one({ shape: [1, 5], data: [1, 2, 3, 4, 5] }),
  'too few elements': one({ data: [1, 2, 3] }),
  'too many elements': one({ data: [1, 2, 3, 4, 5] }),
  'data that is missing': one({ data: undefined }),
  'data that is null': one({ data: null }),
  'data that is an object': one({ data: { 0: 1 } }),
  'data of texts': one({ data: ['a', 'b', 'c', 'd'] }),
  'data of nulls': one({ data: [null, null, null, null] }),
  'data of booleans': one({ data: [true, true, true, true] }),
  'data of objects': one({ data: [{}, {}, {}, {}] }),
  'data beyond FP32': one({ data: [1e39, 0, 0, 0] }),
  'data beyond FP64': inferJson('{"inputs":[{"name":"input","shape":[1,4],"datatype":"FP32","data":[1e999,0,0,0]}]}'),
  'data nested thousands deep': inferJson(
    `{"inputs":[{"name":"input","shape":[1,4],"datatype":"FP32","data":${deep(50_000)}}]}`,
  ),
  'a body nested thousands deep': inferJson(deep(200_000)),
  'an id that is a number': inferJson({ id: 5, inputs: [good] }),
  'parameters that are a list': inferJson({ parameters: [], inputs: [good] }),
  'a parameter of the wrong kind': inferJson({ parameters: { binary_data_output: 'yes' }, inputs: [good] }),
  'an unknown output': inferJson({ inputs: [good], outputs: [{ name: 'zzz' }] }),
  'an output twice': inferJson({ inputs: [good], outputs: [{ name: 'label' }, { name: 'label' }] }),
  'an output without a name': inferJson({ inputs: [good], outputs: [{}] }),
  'an output that is a text': inferJson({ inputs: [good], outputs: ['label'] }),
  'outputs as an object': inferJson({ inputs: [good], outputs: {} }),
  'a classification': inferJson({
    inputs: [good],
    outputs: [{ name: 'probabilities', parameters: { classification: 2 } }],
  }),
  'shared memory for an input': one({
    data: undefined,
    parameters: { shared_memory_region: 'r', shared_memory_byte_size: 16 },
  }),
  'shared memory for an output': inferJson({
    inputs: [good],
    outputs: [{ name: 'label', parameters: { shared_memory_region: 'r' } }],
  }),
};

const binary = (json: object, tail: Buffer, lengthPlusOne?: number): ScoreCall => {
  const head = Buffer.from(JSON.stringify(json));
  return scoreCall({
    body: Buffer.concat([head, tail]),
    inferenceHeaderLengthPlusOne: lengthPlusOne ?? head.length + 1,
  });
};
const sized = (size: unknown, fields: object = {}): object => ({
  inputs: [{ ...good, data: undefined, parameters: { binary_data_size: size }, ...fields }],
});

const binaryCalls: Record<string, ScoreCall> = {
  'a header length beyond the body': binary(sized(16), Buffer.alloc(16), 100_000),
  'a header length within the JSON': binary(sized(16), Buffer.alloc(16), 20),
  'a header length that reaches into the tensors': binary(
    sized(16),
    Buffer.alloc(16),
    JSON.stringify(sized(16)).length + 9,
  ),
  'a size beyond the body': binary(sized(1_000_000), Buffer.alloc(16)),
  'a size below the shape': binary(sized(12), Buffer.alloc(12)),
  'a size above the shape': binary(sized(20), Buffer.alloc(20)),
  'bytes that no tensor claims': binary(sized(16), Buffer.alloc(17)),
  'a negative size': binary(sized(-16), Buffer.alloc(16)),
  'a fractional size': binary(sized(16.5), Buffer.alloc(16)),
  'a size as text': binary(sized('16'), Buffer.alloc(16)),
  'a size of 2^53+1': scoreCall({
    body: Buffer.from(
      '{"inputs":[{"name":"input","shape":[1,4],"datatype":"FP32","parameters":{"binary_data_size":9007199254740993}}]}',
    ),
  }),
  'data and a size': binary(sized(16, { data: [1, 2, 3, 4] }), Buffer.alloc(16)),
  'binary data without a header length': scoreCall({
    body: Buffer.concat([Buffer.from(JSON.stringify(sized(16))), Buffer.alloc(16)]),
  }),
  'FP16 bytes for FP32': binary(sized(8, { datatype: 'FP16' }), Buffer.alloc(8)),
  'a raw body of part of an element': scoreCall({ body: Buffer.alloc(15), inferenceHeaderLengthPlusOne: 1 }),
  'a raw body of another width': scoreCall({ body: Buffer.alloc(20), inferenceHeaderLengthPlusOne: 1 }),
  'an empty raw body': scoreCall({ inferenceHeaderLengthPlusOne: 1 }),
};

const scoreCalls: Record<string, ScoreCall> = {
  'an empty body': scoreJson(''),
  'a list': scoreJson([[1, 2, 3, 4]]),
  'an unknown key': scoreJson({ rows: [[1, 2, 3, 4]] }),
  'data and input_data': scoreJson({ data: [[1, 2, 3, 4]], input_data: [[1, 2, 3, 4]] }),
  'a flat row': scoreJson({ data: [1, 2, 3, 4] }),
  'a number': scoreJson({ data: 5 }),
  'a text': scoreJson({ data: 'abcd' }),
  'a null': scoreJson({ data: null }),
  'ragged rows': scoreJson({
    data: [
      [1, 2, 3, 4],
      [1, 2, 3],
    ],
  }),
  'rows of different depth': scoreJson({ data: [[1, 2, 3, 4], 5] }),
  'a row that is an object': scoreJson({ data: [{ a: 1 }] }),
  'a value that is an object': scoreJson({ data: [[1, 2, 3, {}]] }),
  'a wrong width': scoreJson({ data: [[1, 2, 3]] }),
  'an unknown input': scoreJson({ data: { x: [[1, 2, 3, 4]] } }),
  'no input at all': scoreJson({ data: {} }),
  'an input of the prototype': scoreJson('{"data":{"__proto__":[[1,2,3,4]]}}'),
  'rows nested thousands deep': scoreJson(`{"data":${deep(50_000)}}`),
  'inputs that are no tensors': scoreJson({ inputs: [[1, 2, 3, 4]] }),
};

type GrpcInput = Parameters<typeof ModelInferRequest.fromPartial>[0];
const grpcBytes = (body: Uint8Array): ScoreCall =>
  scoreCall({ protocol: Protocol.PROTOCOL_OIP_GRPC, body: Buffer.from(body) });
const grpc = (message: GrpcInput): ScoreCall =>
  grpcBytes(ModelInferRequest.encode(ModelInferRequest.fromPartial(message)).finish());
const input = { name: 'input', datatype: 'FP32', shape: [1, 4] };
const raw16 = Buffer.alloc(16);

const grpcCalls: Record<string, ScoreCall> = {
  'no bytes': grpcBytes(Buffer.alloc(0)),
  'bytes that are text': grpcBytes(Buffer.from('{"inputs": []}')),
  'bytes of 255': grpcBytes(Buffer.alloc(64, 255)),
  'bytes of 0': grpcBytes(Buffer.alloc(64)),
  'open groups without end': grpcBytes(Buffer.alloc(100_000, 0x0b)),
  'a message longer than the body': grpcBytes(Buffer.from([0x2a, 0xff, 0xff, 0xff, 0x7f, 1])),
  'no inputs': grpc({}),
  'raw and typed contents': grpc({
    inputs: [{ ...input, contents: { fp32Contents: [1, 2, 3, 4] } }],
    rawInputContents: [raw16],
  }),
  'too many raw contents': grpc({ inputs: [input], rawInputContents: [raw16, raw16] }),
  'too few raw contents': grpc({ inputs: [input, { ...input, name: 'b' }], rawInputContents: [raw16] }),
  'short raw contents': grpc({ inputs: [input], rawInputContents: [raw16.subarray(1)] }),
  'long raw contents': grpc({ inputs: [input], rawInputContents: [Buffer.alloc(17)] }),
  'no contents': grpc({ inputs: [input] }),
  'contents of another kind': grpc({ inputs: [{ ...input, contents: { fp64Contents: [1, 2, 3, 4] } }] }),
  'contents of two kinds': grpc({ inputs: [{ ...input, contents: { fp32Contents: [1, 2, 3, 4], intContents: [1] } }] }),
  'too few contents': grpc({ inputs: [{ ...input, contents: { fp32Contents: [1, 2, 3] } }] }),
  'too many contents': grpc({ inputs: [{ ...input, contents: { fp32Contents: [1, 2, 3, 4, 5] } }] }),
  'a negative dimension': grpc({ inputs: [{ ...input, shape: [-1, 4] }], rawInputContents: [raw16] }),
  'a huge shape': grpc({ inputs: [{ ...input, shape: [2 ** 52, 2 ** 52] }], rawInputContents: [raw16] }),
  'thousands of dimensions': grpc({
    inputs: [{ ...input, shape: Array.from({ length: 5_000 }, () => 1) }],
    rawInputContents: [raw16],
  }),
  'an unknown datatype': grpc({ inputs: [{ ...input, datatype: 'STRING' }], rawInputContents: [raw16] }),
  'an input twice': grpc({ inputs: [input, input], rawInputContents: [raw16, raw16] }),
  'an unknown output': grpc({ inputs: [input], rawInputContents: [raw16], outputs: [{ name: 'zzz' }] }),
  'a classification': grpc({
    inputs: [input],
    rawInputContents: [raw16],
    outputs: [
      { name: 'label', parameters: { classification: { parameterChoice: { $case: 'int64Param', value: 2 } } } },
    ],
  }),
  'shared memory': grpc({
    inputs: [
      { ...input, parameters: { shared_memory_region: { parameterChoice: { $case: 'stringParam', value: 'r' } } } },
    ],
  }),
};

async function expectRefused(runtime: ModelRuntime, call: ScoreCall): Promise<void> {
  const error = errorOf(await runtime.score(call, never));
  expect(error?.httpStatus).toBeGreaterThanOrEqual(400);
  expect(error?.httpStatus).toBeLessThan(500);
  expect(error?.reason).toMatch(/^[A-Z0-9_]+$/);
  expect(error?.message.length).toBeGreaterThan(10);
  expect(error?.message.length).toBeLessThan(2_000);
}

const iris = startOnnx('iris-onnx/model.onnx');

describe.each([
  ['OIP JSON', jsonCalls],
  ['OIP binary', binaryCalls],
  ['/score', scoreCalls],
  ['OIP gRPC', grpcCalls],
])('malformed %s', (_surface, calls) => {
  it.each(Object.keys(calls))('%s is refused with a 4xx and a reason', async (name) => {
    const runtime = await iris;
    await expectRefused(runtime, calls[name] as ScoreCall);
    expect(jsonOf(await runtime.score(scoreJson({ data: [[5.1, 3.5, 1.4, 0.2]] }), never)).label).toEqual([0]);
  });
});

describe('texts', () => {
  const raw = (element: Buffer, lie = element.length): Buffer => {
    const prefix = Buffer.alloc(4);
    prefix.writeUInt32LE(lie);
    return Buffer.concat([prefix, element]);
  };
  const asRaw = (bytes: Buffer, count = 1): ScoreCall =>
    grpc({ inputs: [{ name: 'text', datatype: 'BYTES', shape: [count] }], rawInputContents: [bytes] });
  it.each([
    ['that are not UTF-8', asRaw(raw(Buffer.from([0xff, 0xfe])))],
    ['with a NUL, which the model would not see', asRaw(raw(Buffer.from('a\0b')))],
    ['with a length that lies', asRaw(raw(Buffer.from('abc'), 4_000_000_000))],
    ['fewer than the shape', asRaw(raw(Buffer.from('abc')), 2)],
    ['more than the shape', asRaw(Buffer.concat([raw(Buffer.from('a')), raw(Buffer.from('b'))]))],
    [
      'with a NUL in JSON',
      inferJson('{"inputs":[{"name":"text","shape":[1],"datatype":"BYTES","data":["a\\u0000"]}]}'),
    ],
  ])('%s are refused', async (_name, call) => {
    await expectRefused(await startOnnx('slow-and-bad/models/string-input.onnx'), call);
  });
});

describe('every truncation and many changes of a good request', () => {
  const golden = fixtureJson('oip-golden/golden-kserve.json');
  const httpEntry = golden.http.find((entry: { name: string }) => entry.name === 'iris_one_of_each-binary');
  const grpcEntry = golden.grpc.find((entry: { name: string }) => entry.name === 'iris_one_of_each-grpc-contents');
  const httpBody = Buffer.from(httpEntry.body_base64, 'base64');
  const grpcBody = Buffer.from(grpcEntry.request_base64, 'base64');

  async function expectAnswerOr4xx(runtime: ModelRuntime, call: ScoreCall): Promise<'answer' | 'error'> {
    const error = errorOf(await runtime.score(call, never));
    if (error === undefined) return 'answer';
    expect(error.httpStatus).toBeLessThan(500);
    return 'error';
  }

  it('is an answer or a 4xx', async () => {
    const runtime = await iris;
    const seen = { answer: 0, error: 0 };
    for (let length = 0; length < httpBody.length; length++) {
      seen[
        await expectAnswerOr4xx(
          runtime,
          scoreCall({ body: httpBody.subarray(0, length), inferenceHeaderLengthPlusOne: 252 }),
        )
      ]++;
    }
    for (let length = 0; length < grpcBody.length; length++)
      seen[await expectAnswerOr4xx(runtime, grpcBytes(grpcBody.subarray(0, length)))]++;
    // Whatever is cut off, something is missing.
    expect(seen).toEqual({ answer: 0, error: httpBody.length + grpcBody.length });
    let state = 12_345;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state % below;
    };
    for (let round = 0; round < 600; round++) {
      const [body, call] =
        round % 2 === 0
          ? [Buffer.from(httpBody), (b: Buffer) => scoreCall({ body: b, inferenceHeaderLengthPlusOne: 252 })]
          : [Buffer.from(grpcBody), grpcBytes];
      for (let change = 0; change < 3; change++) body[random(body.length)] = random(256);
      await expectAnswerOr4xx(runtime, call(body));
    }
  });
});

describe('64-bit integers in gRPC', () => {
  // By hand: the generated code would round them before they are sent.
  const varint = (value: bigint): number[] =>
    value < 128n ? [Number(value)] : [Number(value & 127n) | 128, ...varint(value >> 7n)];
  const field = (number: number, bytes: number[]): number[] => [
    (number << 3) | 2,
    ...varint(BigInt(bytes.length)),
    ...bytes,
  ];
  const text = (value: string): number[] => [...Buffer.from(value)];

  it.each([
    ['INT64', 3, 9_007_199_254_740_993n],
    ['INT64', 3, -9_223_372_036_854_775_808n],
    ['UINT64', 5, 18_446_744_073_709_551_615n],
  ] as const)('of type %s in field %i keep %s exact', (datatype, number, value) => {
    const contents = field(number, varint(BigInt.asUintN(64, value)));
    const tensor = [...field(1, text('big')), ...field(2, text(datatype)), ...field(3, [1]), ...field(5, contents)];
    const [decoded] = decodeGrpcRequest(Buffer.from(field(5, tensor))).inputs;
    expect(decoded?.elements[0]).toBe(value);
  });
});
