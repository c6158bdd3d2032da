import type { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import type { Tensor } from '@mooring/tensor';
import type { NativeTensor } from '../native-tensors.ts';
import { fixturePath, quiet } from '../testing.ts';
import { startModelThreads, type ModelThreads } from './model-threads.ts';
import { SharedSlots } from './shared-slots.ts';
import { ownTensor, transferable } from './transferable.ts';

let threads: ModelThreads | undefined;
afterEach(async () => {
  await threads?.stop(AbortSignal.timeout(5_000));
  threads = undefined;
});

const row = (): Tensor[] => [{ name: 'x', datatype: 'FP32', shape: [1, 4], elements: new Float32Array([1, 2, 3, 4]) }];

describe('the threads of a model', () => {
  it('run at the same time and leave the event loop free', async () => {
    const file = fixturePath('slow-and-bad/models/heavy.onnx');
    threads = await startModelThreads({ file, count: 2, threads: 1, log: quiet });
    const pool = threads;
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    const answers = await Promise.all(Array.from({ length: 6 }, () => pool.run(row(), ['y'])));
    clearInterval(timer);
    expect(new Set(answers.map(({ outputs: [y] }) => y?.elements[0])).size).toBe(1);
    expect(turns).toBeGreaterThan(5);
  });

  it('fail only the calls of a thread that dies, and another takes its place', async () => {
    const file = fixturePath('slow-and-bad/models/heavy.onnx');
    threads = await startModelThreads({ file, count: 2, threads: 1, log: quiet });
    const pool = threads;
    const calls = Array.from({ length: 8 }, () =>
      pool.run(row(), ['y']).then(
        () => 'answered',
        (error) => error.reason,
      ),
    );
    // No message that a thread knows: it ends on it, after the runs that it has and before the next ones.
    const [dying] = pool.workers();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
    dying?.postMessage(undefined);
    const outcomes = await Promise.all(calls);
    // What was sent behind the message is lost: one run may have been begun, one behind it has not and may go elsewhere.
    const answered = outcomes.filter((outcome) => outcome === 'answered');
    expect(answered.length).toBeGreaterThanOrEqual(6);
    const failed = outcomes.filter((outcome) => outcome !== 'answered');
    expect(['MODEL_THREAD_LOST', 'MODEL_THREAD_GONE']).toEqual(expect.arrayContaining([...new Set(failed)]));
    expect(failed.filter((outcome) => outcome === 'MODEL_THREAD_LOST').length).toBeLessThanOrEqual(1);
    await expect.poll(() => pool.workers().includes(dying as Worker)).toBe(false);
    await expect.poll(() => pool.alive(), { timeout: 5_000 }).toBe(2);
    const [y] = (await pool.run(row(), ['y'])).outputs;
    expect(y?.shape).toEqual([1]);
  });

  it('say what the model says', async () => {
    threads = await startModelThreads({ file: fixturePath('iris-onnx/model.onnx'), count: 1, threads: 1, log: quiet });
    const wrong: Tensor = { name: 'input', datatype: 'FP32', shape: [1, 5], elements: new Float32Array(5) };
    await expect(threads.run([wrong], ['label'])).rejects.toMatchObject({ reason: 'MODEL_REFUSED_INPUT' });
  });

  it('are not started for a file that is no model', async () => {
    const file = fixturePath('slow-and-bad/models/corrupt.onnx');
    await expect(startModelThreads({ file, count: 2, threads: 1, log: quiet })).rejects.toThrow(
      'cannot be run in a thread',
    );
  });
});

describe('what moves to a thread', () => {
  const tensor = (data: Float32Array<ArrayBuffer>) => ({
    type: 'float32',
    dims: [data.length],
    data,
    location: 'cpu' as const,
    size: 4,
  });

  it('is a buffer of its own as it is, and the part of a larger one as a copy', () => {
    const own = tensor(new Float32Array([1, 2]));
    expect(ownTensor(own)).toBe(own);
    const part = ownTensor(tensor(new Float32Array(new ArrayBuffer(1_024), 16, 2)));
    expect(part.data).toEqual(new Float32Array(2));
    expect(transferable([own, part]).map(({ byteLength }) => byteLength)).toEqual([8, 8]);
    expect(transferable([tensor(new Float32Array(0))])).toEqual([]);
  });
});

describe('memory that threads share', () => {
  const floats = (count: number, value: number) => ({
    type: 'float32',
    dims: [count],
    data: new Float32Array(count).fill(value),
    location: 'cpu' as const,
    size: count,
  });
  const memoryOf = (tensor: NativeTensor | undefined) => {
    if (tensor === undefined || Array.isArray(tensor.data)) throw new Error('there is no such tensor');
    return tensor.data.buffer;
  };
  const flags = { type: 'bool', dims: [3], data: new Uint8Array([1, 0, 1]), location: 'cpu' as const, size: 3 };

  it('holds copies of all tensors of a request, and serves the next one again', () => {
    const slots = new SharedSlots();
    const first = slots.pack([flags, floats(8_192, 1)]);
    const [small, large] = first?.tensors ?? [];
    expect(small?.data).toEqual(flags.data);
    expect(large?.data).toEqual(new Float32Array(8_192).fill(1));
    const memory = memoryOf(large);
    expect(memory).toBeInstanceOf(SharedArrayBuffer);
    const second = slots.pack([floats(8_192, 2)]);
    expect(memoryOf(second?.tensors[0])).not.toBe(memory);
    expect(large?.data[0]).toBe(1);
    first?.release();
    const third = slots.pack([floats(8_192, 3)]);
    expect(memoryOf(third?.tensors[0])).toBe(memory);
  });

  it('is not used for what is small, nor for what is too large to keep', () => {
    const slots = new SharedSlots();
    expect(slots.pack([floats(16, 1)])).toBeUndefined();
    expect(slots.pack([floats(4 * 2 ** 20, 1)])).toBeUndefined();
  });
});
