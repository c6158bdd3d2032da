import { expect, it } from 'vitest';
import { ModelStatisticsResponse } from '@mooring/contracts/inference';
import { Protocol } from '@mooring/contracts/scoring';
import { mergeStatistics } from './merge-statistics.ts';

const entry = (version: string, count: number, last: number, sizes: Record<number, number>) => ({
  name: 'cars',
  version,
  last_inference: last,
  inference_count: count,
  execution_count: count,
  inference_stats: { success: { count, ns: count * 10 } },
  batch_stats: Object.entries(sizes).map(([size, n]) => ({
    batch_size: Number(size),
    compute_infer: { count: n, ns: n },
  })),
});
const body = (...entries: ReturnType<typeof entry>[]) => Buffer.from(JSON.stringify({ model_stats: entries }));

it('adds up JSON statistics per deployment: counts add, the latest time wins, batch sizes are matched', () => {
  const merged = mergeStatistics(Protocol.PROTOCOL_OIP_REST, [
    body(entry('luca', 3, 100, { 1: 2, 4: 1 })),
    body(entry('luca', 5, 90, { 4: 2, 8: 3 })),
    body(entry('martina', 7, 50, {})),
  ]);
  expect(JSON.parse(merged.toString())).toEqual({
    model_stats: [entry('luca', 8, 100, { 1: 2, 4: 3, 8: 3 }), entry('martina', 7, 50, {})],
  });
});

it('adds up protobuf statistics in the same way', () => {
  const one = (count: number, last: number) =>
    Buffer.from(
      ModelStatisticsResponse.encode({
        modelStats: [
          {
            name: 'cars',
            version: 'luca',
            lastInference: last,
            inferenceCount: count,
            executionCount: 1,
            inferenceStats: undefined,
            batchStats: [
              { batchSize: 2, computeInput: undefined, computeInfer: { count, ns: 5 }, computeOutput: undefined },
            ],
          },
        ],
      }).finish(),
    );
  const merged = ModelStatisticsResponse.decode(mergeStatistics(Protocol.PROTOCOL_OIP_GRPC, [one(2, 7), one(3, 6)]));
  expect(merged.modelStats).toMatchObject([
    {
      version: 'luca',
      lastInference: 7,
      inferenceCount: 5,
      executionCount: 2,
      batchStats: [{ batchSize: 2, computeInfer: { count: 5, ns: 10 } }],
    },
  ]);
});
