import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { seeded } from '@mooring/testing';
import { cnnShape, makeCnn } from './cnn.ts';

describe('makeCnn', () => {
  it('makes 6 MB that ONNX Runtime runs, the same bytes each time', async () => {
    const bytes = makeCnn();
    expect(bytes.length / 1e6).toBeCloseTo(6, 0);
    expect(makeCnn().equals(bytes)).toBe(true);
    const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, interOpNumThreads: 1 });
    const random = seeded(1);
    const run = async (rows: number): Promise<Float32Array> => {
      const data = Float32Array.from({ length: rows * 3 * 32 * 32 }, random);
      const outputs = await session.run({ image: new Tensor('float32', data, [rows, ...cnnShape.slice(1)]) });
      return outputs['probabilities']?.data as Float32Array;
    };
    const probabilities = await run(2);
    expect(probabilities.length).toBe(20);
    expect(probabilities.subarray(0, 10).reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 4);
    expect(Math.max(...probabilities)).toBeLessThan(0.9);
    await session.release();
  });
});
