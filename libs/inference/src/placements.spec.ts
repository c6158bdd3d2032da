import { afterAll, describe, expect, it } from 'vitest';
import { Protocol } from '@mooring/contracts/scoring';
import type { Placement } from '@mooring/domain';
import { errorOf, type ScoreCall, type ScoringPort } from '@mooring/scoring-stream';
import { createOnnxRuntime, loadInlineModel } from './index.ts';
import { fixtureJson, inferJson, jsonOf, never, onnxSpec, quiet, scoreCall } from './testing.ts';

const golden = fixtureJson('oip-golden/golden-kserve.json');
const files: Readonly<Record<string, string>> = {
  iris: 'iris-onnx/model.onnx',
  digits: 'digits-mlp-onnx/model.onnx',
  mixed: 'slow-and-bad/models/mixed-dtypes.onnx',
  strings: 'slow-and-bad/models/string-input.onnx',
};
const closers: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const close of closers) await close();
});

async function placed(model: string, placement: Placement): Promise<ScoringPort> {
  const spec = onnxSpec(files[model] as string, { placement });
  const runtime = createOnnxRuntime({ ...spec, threads: 2 }, quiet);
  await runtime.start();
  closers.push(() => runtime.stop(AbortSignal.timeout(5_000)));
  const inline = runtime.placement()?.inline;
  if (placement !== 'inline' || inline === undefined) return runtime;
  const loaded = await loadInlineModel({ ...spec, model: inline }, quiet);
  closers.push(() => loaded.close());
  return loaded;
}

interface GoldenHttp {
  model: string;
  headers: [string, string][];
  body_base64: string;
}

function httpCall({ model, headers, body_base64 }: GoldenHttp): ScoreCall {
  const length = headers.find(([key]) => key === 'Inference-Header-Content-Length')?.[1];
  return scoreCall({
    modelName: model,
    body: Buffer.from(body_base64, 'base64'),
    inferenceHeaderLengthPlusOne: length === undefined ? 0 : Number(length) + 1,
  });
}

function grpcCall({ model, request_base64 }: { model: string; request_base64: string }): ScoreCall {
  const body = Buffer.from(request_base64, 'base64');
  return scoreCall({ modelName: model, protocol: Protocol.PROTOCOL_OIP_GRPC, body });
}

/** Everything that a caller sees, those times apart that differ from run to run. */
async function seen(port: ScoringPort, call: ScoreCall): Promise<unknown> {
  const { status, contentType, inferenceHeaderLengthPlusOne, errorReason, body } = await port.score(call, never);
  return { status, contentType, inferenceHeaderLengthPlusOne, errorReason, body: body.toString('base64') };
}

describe.each(Object.keys(files))('the answers of %s', (model) => {
  const calls: ScoreCall[] = [
    ...golden.http.filter((entry: GoldenHttp) => entry.model === model).map(httpCall),
    ...golden.grpc.filter((entry: { model: string }) => entry.model === model).map(grpcCall),
    inferJson({ inputs: [] }),
    inferJson('{"inputs": [1'),
  ];

  it('are the same bytes wherever the model runs, alone and many at once', async () => {
    const reference = await placed(model, 'process');
    const wanted: unknown[] = [];
    for (const call of calls) wanted.push(await seen(reference, call));
    expect(wanted.length).toBeGreaterThan(4);
    for (const placement of ['inline', 'threads'] as const) {
      const port = await placed(model, placement);
      for (const [index, call] of calls.entries()) expect(await seen(port, call)).toEqual(wanted[index]);
      const many = await Promise.all([...calls, ...calls, ...calls].map((call) => seen(port, call)));
      expect(many).toEqual([...wanted, ...wanted, ...wanted]);
    }
  });
});

describe('a large request', () => {
  it('gets the same bytes from a thread, through shared memory, many at once', async () => {
    const rows = 8_192;
    const call = (seed: number): ScoreCall => {
      const data = Array.from({ length: rows * 4 }, (_, index) => ((index * 7 + seed) % 80) / 10);
      return inferJson({ inputs: [{ name: 'input', datatype: 'FP32', shape: [rows, 4], data }] });
    };
    const [process, threads] = [await placed('iris', 'process'), await placed('iris', 'threads')];
    const calls = [1, 2, 3, 4, 5, 6].map(call);
    const wanted: unknown[] = [];
    for (const one of calls) wanted.push(await seen(process, one));
    expect(await Promise.all(calls.map((one) => seen(threads, one)))).toEqual(wanted);
  });
});

describe('requests that wait for a thread', () => {
  const rows = Array.from({ length: 24 }, (_, seed) =>
    Array.from({ length: 64 }, (_unused, index) => (index * 7 + seed) % 17),
  );
  const digits = rows.map((row) =>
    inferJson({ inputs: [{ name: 'image', datatype: 'FP32', shape: [1, 1, 8, 8], data: row }] }),
  );
  const runs = async (model: string, calls: ScoreCall[], settings = {}): Promise<number[]> => {
    const runtime = createOnnxRuntime({ ...onnxSpec(model, { placement: 'threads', ...settings }), threads: 2 }, quiet);
    await runtime.start();
    closers.push(() => runtime.stop(AbortSignal.timeout(5_000)));
    const answers = await Promise.all(calls.map((call) => runtime.score(call, never)));
    expect(answers.filter(({ status }) => status !== 200).map(errorOf)).toEqual([]);
    return answers.map(({ batchRows }) => batchRows);
  };

  it('share its runs, a few at a time, where that changes no answer', async () => {
    const shared = await runs('digits-mlp-onnx/model.onnx', digits);
    expect(Math.max(...shared)).toBe(4);
  });

  it('run alone where the deployment says so, or rows together give other bits than alone', async () => {
    const asked = { batchMaxRows: 1, batchSet: true } as const;
    expect(Math.max(...(await runs('digits-mlp-onnx/model.onnx', digits, asked)))).toBe(1);
    const data = [5.1, 3.5, 1.4, 0.2];
    const iris = inferJson({ inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 4], data }] });
    const alone = await runs(
      'iris-onnx/model.onnx',
      rows.map(() => iris),
    );
    expect(Math.max(...alone)).toBe(1);
  });
});

describe('a model inline', () => {
  it('leaves a request with more rows than it was measured for to the process', async () => {
    const spec = onnxSpec('iris-onnx/model.onnx');
    const runtime = createOnnxRuntime(spec, quiet);
    await runtime.start();
    closers.push(() => runtime.stop(AbortSignal.timeout(5_000)));
    const inline = runtime.placement()?.inline;
    if (inline === undefined) throw new Error('iris is not inline');
    const loaded = await loadInlineModel({ ...spec, model: { ...inline, rowsMax: 2 } }, quiet);
    closers.push(() => loaded.close());
    const rows = (count: number): ScoreCall =>
      inferJson({
        inputs: [
          { name: 'input', datatype: 'FP32', shape: [count, 4], data: Array.from({ length: count * 4 }, () => 1) },
        ],
      });
    expect(jsonOf(await loaded.score(rows(2), never)).outputs[0].shape).toEqual([2]);
    const refused = await loaded.score(rows(3), never);
    expect(errorOf(refused)).toMatchObject({ code: 'unavailable', reason: 'TOO_MANY_ROWS_HERE' });
    expect(refused.started).toBe(false);
    await expect(loadInlineModel({ ...spec, model: { ...inline, sha256: 'other' } }, quiet)).rejects.toThrow(
      'is not the file that was measured',
    );
  });
});
