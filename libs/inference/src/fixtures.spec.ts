import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorOf, ModelLoadError, type ModelRuntime, type ScoreReply } from '@mooring/scoring-stream';
import { createOnnxRuntime } from './index.ts';
import { casesOf, fixtureJson, inferJson, jsonOf, never, onnxSpec, quiet, scoreJson, startOnnx } from './testing.ts';

const datatypes: Record<string, string> = {
  float16: 'FP16',
  float32: 'FP32',
  float64: 'FP64',
  bool: 'BOOL',
  string: 'BYTES',
  int8: 'INT8',
  int32: 'INT32',
  int64: 'INT64',
  uint8: 'UINT8',
};

interface Fixture {
  shape: number[];
  dtype: string;
  data: unknown[];
}
type Fixtures = Record<string, Fixture>;

function requestOf(inputs: Fixtures): object {
  return {
    inputs: Object.entries(inputs).map(([name, { shape, dtype, data }]) => ({
      name,
      shape,
      datatype: datatypes[dtype],
      data,
    })),
  };
}

function expectOutputs(answer: ScoreReply, outputs: Fixtures, atol = 1e-5, rtol = 1e-4): void {
  const got = jsonOf(answer).outputs as { name: string; shape: number[]; datatype: string; data: unknown[] }[];
  expect(got.map((tensor) => tensor.name)).toEqual(Object.keys(outputs));
  for (const tensor of got) {
    const want = outputs[tensor.name] as Fixture;
    expect(tensor.shape).toEqual(want.shape);
    expect(tensor.datatype).toBe(datatypes[want.dtype]);
    expectClose(tensor.data, want.data, atol, rtol);
  }
}

function expectClose(got: unknown[], want: unknown[], atol: number, rtol: number): void {
  expect(got.length).toBe(want.length);
  for (const [index, value] of want.entries()) {
    if (typeof value !== 'number' || Number.isInteger(value)) {
      if (typeof value === 'number')
        expect(Math.abs((got[index] as number) - value)).toBeLessThanOrEqual(atol + rtol * Math.abs(value));
      else expect(got[index]).toBe(value);
    } else expect(Math.abs((got[index] as number) - value)).toBeLessThanOrEqual(atol + rtol * Math.abs(value));
  }
}

const bad = fixtureJson('slow-and-bad/expected.json');
const model = (name: string): Promise<ModelRuntime> => startOnnx(`slow-and-bad/models/${name}.onnx`);
const infer = (runtime: ModelRuntime, inputs: Fixtures): Promise<ScoreReply> =>
  runtime.score(inferJson(requestOf(inputs)), never);

describe('iris', () => {
  const expected = fixtureJson('iris-onnx/expected.json');
  it.each(casesOf(expected.cases))('answers %s in /score and OIP', async (_name, entry) => {
    const runtime = await startOnnx('iris-onnx/model.onnx');
    const { input, input_shape, label, probabilities } = entry;
    for (const key of ['data', 'input_data']) {
      const scored = jsonOf(await runtime.score(scoreJson({ [key]: input }), never));
      expect(scored.label).toEqual(label);
      expectClose(scored.probabilities.flat(), probabilities.flat(), 1e-5, 1e-4);
    }
    const named = jsonOf(await runtime.score(scoreJson({ data: { input } }), never));
    expect(named.label).toEqual(label);
    const answer = await infer(runtime, { input: { shape: input_shape, dtype: 'float32', data: input } });
    expectOutputs(answer, {
      label: { shape: [input_shape[0]], dtype: 'int64', data: label },
      probabilities: { shape: [input_shape[0], 3], dtype: 'float32', data: probabilities.flat() },
    });
  });

  it.each(casesOf(expected.must_fail))('refuses %s before the model sees it', async (_name, entry) => {
    const runtime = await startOnnx('iris-onnx/model.onnx');
    const count = entry.shape.reduce((a: number, b: number) => a * b, 1);
    const answer = await infer(runtime, { input: { ...entry, data: Array.from({ length: count }, () => 1) } });
    expect(errorOf(answer)?.code).toBe('invalid_argument');
    expect(answer.errorMessage).toContain('FP32 [');
  });
});

describe('digits', () => {
  const expected = fixtureJson('digits-mlp-onnx/expected.json');
  it.each(casesOf(expected.cases))('answers %s', async (_name, entry) => {
    const runtime = await startOnnx('digits-mlp-onnx/model.onnx');
    const answer = await infer(runtime, { image: { shape: entry.input_shape, dtype: 'float32', data: entry.input } });
    const rows = entry.input_shape[0];
    expectOutputs(answer, {
      probabilities: { shape: [rows, 10], dtype: 'float32', data: entry.probabilities.flat() },
      digit: { shape: [rows], dtype: 'int64', data: entry.digit },
    });
  });
});

describe('models of every kind', () => {
  it.each(['heavy', 'string-input', 'string-category', 'huge-output', 'external-data/model'])(
    '%s answers as expected',
    async (name) => {
      const { inputs, outputs, atol, rtol } = bad[name];
      expectOutputs(await infer(await model(name), inputs), outputs, atol, rtol);
    },
  );

  it('mixed dtypes keep every bit of 64-bit integers', async () => {
    const { inputs, outputs, big_as_text, big_plus_1_as_text } = bad['mixed-dtypes'];
    const runtime = await model('mixed-dtypes');
    const text = JSON.stringify(requestOf({ ...inputs, big: { ...inputs.big, data: ['@'] } })).replace(
      '["@"]',
      `[${big_as_text.join(',')}]`,
    );
    const answer = await runtime.score(inferJson(text), never);
    const exact = /"name":"big_plus_1"[^[]*\[5\],"data":\[([^\]]*)\]/.exec(answer.body.toString());
    expect(exact?.[1]?.split(',')).toEqual(big_plus_1_as_text);
    expectOutputs(answer, outputs, 1e-3, 1e-6);
  });

  it.each(casesOf(bad['heavy-adjustable'].cases, (entry) => entry.inputs.loops.data[0]))(
    'heavy-adjustable with %s loops',
    async (_index, entry) => {
      expectOutputs(await infer(await model('heavy-adjustable'), entry.inputs), entry.outputs, 0.01, 0.01);
    },
  );

  it.each(casesOf(bad['dynamic-rank'].cases, (entry) => JSON.stringify(entry.inputs.x.shape)))(
    'dynamic rank %s',
    async (_shape, entry) => {
      expectOutputs(await infer(await model('dynamic-rank'), entry.inputs), entry.outputs);
    },
  );

  it('NaN and infinities are texts in JSON and bits in binary', async () => {
    const { inputs, outputs_as_text } = bad['nan-inf'];
    const runtime = await model('nan-inf');
    const answer = jsonOf(await infer(runtime, inputs));
    const asJson: Record<string, unknown> = { inf: 'Infinity', '-inf': '-Infinity', nan: 'NaN', '1.0': 1, '0.0': 0 };
    for (const { name, data } of answer.outputs)
      expect(data).toEqual(outputs_as_text[name].map((text: string) => asJson[text]));
    const scored = jsonOf(await runtime.score(scoreJson({ data: ['Infinity', 'NaN'] }), never));
    expect(scored.y).toHaveLength(2);
  });
});

describe('a model that fails', () => {
  it('at run answers model_failed with its own words, and the next request works', async () => {
    const runtime = await model('fails-at-run');
    const answer = await infer(runtime, bad['fails-at-run'].bad);
    expect(errorOf(answer)).toMatchObject({ code: 'model_failed', reason: 'MODEL_RUN_FAILED', modelStatus: 500 });
    expect(answer.started).toBe(true);
    expect(answer.errorMessage).toContain('cannot be reshaped');
    expect(answer.errorMessage).not.toContain('onnxruntime_src/');
    expect(errorOf(await infer(runtime, bad['fails-at-run'].good))).toBeUndefined();
  });

  it.each([
    ['more than memory', (2n ** 62n).toString(), 'MODEL_OUT_OF_MEMORY'],
    ['more than the cap', '16777216', 'RESPONSE_TOO_LARGE'],
    ['a negative size', '-5', 'MODEL_RUN_FAILED'],
  ])('for asking %s answers a clear error and goes on', async (_what, n, reason) => {
    const runtime = await startOnnx('slow-and-bad/models/huge-output.onnx', { maxResponseBytes: 1_000_000 });
    const answer = await runtime.score(scoreJson(`{"data":{"value":[7],"n":[${n}]}}`), never);
    expect(errorOf(answer)).toMatchObject({ code: 'model_failed', reason });
    expect(jsonOf(await runtime.score(scoreJson('{"data":{"value":[7],"n":[2]}}'), never))).toEqual({ out: [7, 7] });
  });

  it('to write its JSON within the cap is told apart from one whose raw answer is too large', async () => {
    const runtime = await startOnnx('slow-and-bad/models/huge-output.onnx', { maxResponseBytes: 10_000 });
    const answer = await runtime.score(scoreJson('{"data":{"value":[0.1],"n":[2400]}}'), never);
    expect(errorOf(answer)?.reason).toBe('RESPONSE_TOO_LARGE');
  });
});

describe('a model that must not load', () => {
  const names = Object.keys(bad.must_not_load);
  it.each(names)('%s is refused for good, with the reason', async (name) => {
    const runtime = createOnnxRuntime(onnxSpec(`slow-and-bad/models/${name}`), quiet);
    const error = await runtime.start().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ModelLoadError);
    const { status } = error as ModelLoadError;
    expect(status).toMatchObject({ state: 'failed', permanent: true, code: 'BadArgument' });
    expect(status.message).toContain(name);
    expect(status.message?.length).toBeLessThan(1_200);
    expect(status.message).not.toContain('/fixtures/');
    expect(runtime.ready()).toBe(false);
    expect(await runtime.score(scoreJson({ data: [] }), never)).toMatchObject({
      errorReason: 'MODEL_NOT_READY',
      started: false,
    });
  });

  it('names a file that is not there', async () => {
    const runtime = createOnnxRuntime(onnxSpec('slow-and-bad/models/nowhere.onnx'), quiet);
    await expect(runtime.start()).rejects.toThrow('nowhere.onnx');
  });

  it('is every model of the folder that is not tested above', () => {
    const loads = [
      'heavy',
      'heavy-adjustable',
      'string-input',
      'string-category',
      'mixed-dtypes',
      'dynamic-rank',
      'huge-output',
      'nan-inf',
      'fails-at-run',
    ];
    const all = readdirSync(new URL('../../testing/fixtures/slow-and-bad/models', import.meta.url)).filter((name) =>
      name.endsWith('.onnx'),
    );
    expect(all.toSorted()).toEqual([...names, ...loads.map((name) => `${name}.onnx`), 'needs-locale.onnx'].toSorted());
  });
});
