import { describe, expect, it } from 'vitest';
import { ModelInferRequest, ModelInferResponse } from '@mooring/contracts/inference';
import { Protocol } from '@mooring/contracts/scoring';
import { errorOf, type ScoreCall } from '@mooring/scoring-stream';
import { pino } from 'pino';
import { createOnnxRuntime } from './index.ts';
import { fixtureJson, inferJson, jsonOf, never, onnxSpec, scoreCall, scoreJson, startOnnx } from './testing.ts';

const iris = fixtureJson('iris-onnx/expected.json').cases.find((entry: { name: string }) => entry.name === 'all_150');
const rowsFrom = (from: number, count: number): number[][] =>
  Array.from({ length: count }, (_, index) => iris.input[(from + index) % 150]);
const labelsFrom = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => iris.label[(from + index) % 150]);

function grpcCall(rows: number[][]): ScoreCall {
  const raw = Buffer.from(new Float32Array(rows.flat()).buffer);
  const message = ModelInferRequest.fromPartial({
    inputs: [{ name: 'input', datatype: 'FP32', shape: [rows.length, 4] }],
    rawInputContents: [raw],
  });
  return scoreCall({
    protocol: Protocol.PROTOCOL_OIP_GRPC,
    body: Buffer.from(ModelInferRequest.encode(message).finish()),
  });
}

describe('a thousand concurrent requests of every kind', () => {
  it('share runs and never get one another’s answers; bad ones fail alone', async () => {
    const runtime = await startOnnx('iris-onnx/model.onnx', { batchMaxRows: 64, batchMaxDelayUs: 500 });
    const kinds = ['score', 'json', 'grpc', 'bad'] as const;
    const calls = Array.from({ length: 1_000 }, (_, index) => {
      const kind = kinds[index % 97 === 0 ? 3 : index % 3] as (typeof kinds)[number];
      const count = 1 + (index % 5);
      const rows = rowsFrom(index, count);
      const call =
        kind === 'score'
          ? scoreJson({ data: rows })
          : kind === 'grpc'
            ? grpcCall(rows)
            : inferJson({
                id: `r${index}`,
                inputs: [{ name: 'input', shape: [count, kind === 'bad' ? 5 : 4], datatype: 'FP32', data: rows }],
              });
      return { kind, index, count, call };
    });
    const answers = await Promise.all(calls.map(({ call }) => runtime.score(call, never)));
    let shared = 0;
    for (const { kind, index, count } of calls) {
      const answer = answers[index];
      if (answer === undefined) throw new Error('no answer');
      if (kind === 'bad') {
        expect(errorOf(answer)?.code).toBe('invalid_argument');
        continue;
      }
      const labels = labelsFrom(index, count);
      if (kind === 'score') expect(jsonOf(answer).label).toEqual(labels);
      if (kind === 'json') expect(jsonOf(answer)).toMatchObject({ id: `r${index}`, outputs: [{ data: labels }, {}] });
      if (kind === 'grpc') {
        const [raw] = ModelInferResponse.decode(answer.body).rawOutputContents;
        expect(Array.from({ length: count }, (_, row) => Number(raw?.readBigInt64LE(row * 8)))).toEqual(labels);
      }
      expect(answer.batchRows).toBeLessThanOrEqual(64);
      if (answer.batchRows > count) shared += 1;
      const { totalUs = 0, ...parts } = answer.timing ?? {};
      expect(Object.values(parts).reduce((sum, part) => sum + part, 0)).toBe(totalUs);
    }
    expect(shared).toBeGreaterThan(800);
    await runtime.stop(AbortSignal.timeout(1_000));
  });
});

describe('whether a model is batched', () => {
  async function messagesOf(model: string): Promise<string> {
    const lines: string[] = [];
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
    const runtime = createOnnxRuntime(onnxSpec(model, { batchMaxRows: 16 }), log);
    await runtime.start();
    await runtime.stop(AbortSignal.timeout(1_000));
    return lines.join('');
  }

  it.each([
    'iris-onnx/model.onnx',
    'digits-mlp-onnx/model.onnx',
    'slow-and-bad/models/mixed-dtypes.onnx',
    'slow-and-bad/models/string-category.onnx',
  ])('%s is', async (model) => {
    expect(await messagesOf(model)).toContain('requests share runs of up to 16 rows');
  });

  it.each([
    ['slow-and-bad/models/string-input.onnx', "'count' has no free first dimension"],
    ['slow-and-bad/models/dynamic-rank.onnx', "'x' has no free first dimension"],
    ['slow-and-bad/models/huge-output.onnx', "'value' has no free first dimension"],
    ['slow-and-bad/models/heavy-adjustable.onnx', "'loops' has no free first dimension"],
  ])('%s is not, and the log says why', async (model, why) => {
    expect(await messagesOf(model)).toContain(why);
  });
});

describe('texts in a shared run', () => {
  it('come back to their own requests', async () => {
    const runtime = await startOnnx('slow-and-bad/models/string-category.onnx', { batchMaxRows: 8 });
    const colours = ['blue', 'red', 'mauve'];
    const ids = [30, 10, -1];
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) => runtime.score(scoreJson({ data: [[colours[index % 3]]] }), never)),
    );
    for (const [index, answer] of answers.entries()) expect(jsonOf(answer)).toEqual({ id: [[ids[index % 3]]] });
    expect(Math.max(...answers.map((answer) => answer.batchRows))).toBeGreaterThan(1);
  });
});
