import { describe, expect, it } from 'vitest';
import { ModelInferRequest, ModelInferResponse } from '@mooring/contracts/inference';
import { Protocol } from '@mooring/contracts/scoring';
import { errorOf, type ModelRuntime } from '@mooring/scoring-stream';
import { tensorFromJson, tensorFromRaw, type DataType, type Tensor } from '@mooring/tensor';
import { casesOf, fixtureJson, never, scoreCall, startOnnx } from './testing.ts';

const golden = fixtureJson('oip-golden/golden-kserve.json');
const files: Record<string, string> = {
  iris: 'iris-onnx/model.onnx',
  digits: 'digits-mlp-onnx/model.onnx',
  mixed: 'slow-and-bad/models/mixed-dtypes.onnx',
  strings: 'slow-and-bad/models/string-input.onnx',
};
const runtimes = new Map<string, Promise<ModelRuntime>>();

function runtimeOf(model: string): Promise<ModelRuntime> {
  const runtime = runtimes.get(model) ?? startOnnx(files[model] as string);
  runtimes.set(model, runtime);
  return runtime;
}

interface Expected {
  datatype: DataType;
  shape: number[];
  data: unknown[];
}

function expectTensors(got: readonly Tensor[], expected: Record<string, Expected>): void {
  expect(got.map((tensor) => tensor.name).toSorted()).toEqual(Object.keys(expected).toSorted());
  for (const tensor of got) {
    const want = expected[tensor.name] as Expected;
    expect([tensor.datatype, tensor.shape]).toEqual([want.datatype, want.shape]);
    const atol = want.datatype === 'FP16' ? 1e-3 : 1e-5;
    for (const [index, value] of want.data.entries()) expectSame(tensor.elements[index], value, atol);
    expect(tensor.elements.length).toBe(want.data.length);
  }
}

function expectSame(got: unknown, want: unknown, atol: number): void {
  if (typeof want === 'string') expect(got instanceof Uint8Array ? Buffer.from(got).toString() : got).toBe(want);
  else if (typeof want === 'boolean') expect(got).toBe(want ? 1 : 0);
  // Reading the fixture itself rounds what is beyond 2^53; exactness is asserted in fixtures.spec.ts.
  else if (typeof got === 'bigint') expect(Number(got)).toBe(want);
  else expect(Math.abs((got as number) - (want as number))).toBeLessThanOrEqual(atol + 1e-4 * Math.abs(want as number));
}

interface JsonOutput {
  name: string;
  datatype: DataType;
  shape: number[];
  data?: unknown;
  parameters?: { binary_data_size: number };
}

describe('HTTP requests of tritonclient', () => {
  it.each(casesOf(golden.http))('%s gets the reference answer', async (name, entry) => {
    const runtime = await runtimeOf(entry.model);
    const length = entry.headers.find(([key]: [string]) => key === 'Inference-Header-Content-Length')?.[1];
    const answer = await runtime.score(
      scoreCall({
        modelName: entry.model,
        modelVersion: '',
        body: Buffer.from(entry.body_base64, 'base64'),
        inferenceHeaderLengthPlusOne: length === undefined ? 0 : Number(length) + 1,
      }),
      never,
    );
    expect(errorOf(answer)).toBeUndefined();
    const headerLength =
      answer.inferenceHeaderLengthPlusOne === 0 ? answer.body.length : answer.inferenceHeaderLengthPlusOne - 1;
    const json = JSON.parse(answer.body.subarray(0, headerLength).toString());
    expect(json).toMatchObject({ model_name: entry.model, model_version: 'blue', id: name });
    let at = headerLength;
    const tensors = (json.outputs as JsonOutput[]).map((output) => {
      const size = output.parameters?.binary_data_size;
      if (size === undefined) return tensorFromJson(output.name, output.datatype, output.shape, output.data);
      at += size;
      return tensorFromRaw(output.name, output.datatype, output.shape, answer.body.subarray(at - size, at));
    });
    expect(at).toBe(answer.body.length);
    expectTensors(tensors, entry.expected_outputs);
    const reference = referenceJson(entry.server);
    const formOf = (outputs: JsonOutput[]) =>
      outputs.map((output) => [output.name, output.data === undefined ? 'binary' : 'json']);
    expect(formOf(json.outputs)).toEqual(formOf(reference.outputs));
  });
});

/** The JSON part of what the reference server answered. */
function referenceJson(server: { headers: [string, string][]; body_base64: string }): { outputs: JsonOutput[] } {
  const body = Buffer.from(server.body_base64, 'base64');
  const length = server.headers.find(([key]) => key.toLowerCase() === 'inference-header-content-length')?.[1];
  return JSON.parse(body.subarray(0, length === undefined ? body.length : Number(length)).toString());
}

describe('gRPC requests of tritonclient', () => {
  it.each(casesOf(golden.grpc))('%s gets the reference answer', async (_name, entry) => {
    const runtime = await runtimeOf(entry.model);
    const answer = await runtime.score(
      scoreCall({
        protocol: Protocol.PROTOCOL_OIP_GRPC,
        modelName: entry.model,
        body: Buffer.from(entry.request_base64, 'base64'),
      }),
      never,
    );
    expect(errorOf(answer)).toBeUndefined();
    const asked = ModelInferRequest.decode(Buffer.from(entry.request_base64, 'base64'));
    const response = ModelInferResponse.decode(answer.body);
    expect(response).toMatchObject({ modelName: entry.model, id: asked.id });
    const tensors = response.outputs.map((output, index) =>
      tensorFromRaw(
        output.name,
        output.datatype as DataType,
        output.shape,
        response.rawOutputContents[index] as Buffer,
      ),
    );
    expectTensors(tensors, entry.expected_outputs);
  });
});

describe('errors recorded from a reference server', () => {
  const errors = golden.other.filter(
    (entry: { kind: string; name: string }) => entry.kind === 'http-error' && entry.name !== 'unknown_model',
  );
  it.each(casesOf(errors))('%s is a 400 here', async (name, entry) => {
    const runtime = await runtimeOf('iris');
    const error = errorOf(await runtime.score(scoreCall({ body: Buffer.from(entry.request_text) }), never));
    if (name === 'nested_data_ok') expect(error).toBeUndefined();
    else expect(error?.httpStatus).toBe(400);
  });
});
