import { describe, expect, it } from 'vitest';
import { PlatformError } from '@mooring/errors';
import type { FixedTensor, Tensor } from '@mooring/tensor';
import { createBatcher, type Batcher, type BatcherOptions, type RunAnswer, type RunRequest } from './batcher.ts';
import { never } from './testing.ts';

function column(values: number[], width = 1): Tensor {
  const elements = new Float32Array(values.length * width);
  for (const [index, value] of values.entries()) elements.fill(value, index * width, (index + 1) * width);
  return { name: 'x', datatype: 'FP32', shape: [values.length, width], elements };
}

/** Doubles each element; refuses any run that holds a negative one. */
async function doubled(inputs: readonly Tensor[], outputs: readonly string[]): Promise<Tensor[]> {
  const [input] = inputs as FixedTensor[];
  const values = (input as FixedTensor).elements as Float32Array;
  if (values.some((value) => value < 0))
    throw new PlatformError('model_failed', 'MODEL_RUN_FAILED', 'a negative value');
  return outputs.map((name) => ({
    ...(input as FixedTensor),
    name,
    elements: values.map((value) => value * (name === 'y' ? 2 : 3)),
  }));
}

interface Runs {
  batcher: Batcher;
  rows: number[];
}

function batching(options: Partial<BatcherOptions> = {}): Runs {
  const rows: number[] = [];
  const batcher = createBatcher({
    run: doubled,
    rowsMax: 8,
    delayUs: 0,
    queueMax: 2_000,
    batchIdPrefix: 'i-1',
    nowMs: () => performance.now(),
    onRun: (count) => rows.push(count),
    ...options,
  });
  return { batcher, rows };
}

function request(values: number[], fields: Partial<RunRequest> = {}): RunRequest {
  return {
    inputs: [column(values)],
    outputs: ['y'],
    deadlineAtMs: Number.POSITIVE_INFINITY,
    yields: false,
    signal: never,
    ...fields,
  };
}

const valuesOf = (answer: RunAnswer): number[] => [...((answer.outputs[0] as FixedTensor).elements as Float32Array)];

describe('requests that wait together', () => {
  it('share a run, counted in rows, and each gets its own rows', async () => {
    const { batcher, rows } = batching();
    const answers = await Promise.all(
      [request([1, 2, 3]), request([4]), request([5, 6, 7])].map((r) => batcher.submit(r)),
    );
    expect(answers.map(valuesOf)).toEqual([[2, 4, 6], [8], [10, 12, 14]]);
    expect(rows).toEqual([7]);
    expect(answers.map((answer) => [answer.rows, answer.batchRows])).toEqual([
      [3, 7],
      [1, 7],
      [3, 7],
    ]);
    expect(new Set(answers.map((answer) => answer.batchId)).size).toBe(1);
  });

  it('never go beyond the row limit; larger and empty ones run alone', async () => {
    const { batcher, rows } = batching({ rowsMax: 4 });
    const sizes = [3, 2, 9, 0, 1, 4, 2];
    const answers = await Promise.all(
      sizes.map((size, index) => batcher.submit(request(Array.from({ length: size }, () => index)))),
    );
    for (const [index, answer] of answers.entries())
      expect(valuesOf(answer)).toEqual(Array.from({ length: sizes[index] as number }, () => index * 2));
    expect(rows.filter((count) => count > 4)).toEqual([9]);
    expect(rows.reduce((a, b) => a + b)).toBe(21);
    expect(rows.length).toBeLessThan(sizes.length);
  });

  it('share a run only with the same trailing dimensions', async () => {
    const { batcher, rows } = batching();
    const wide = (value: number): RunRequest => request([], { inputs: [column([value], 3)] });
    const answers = await Promise.all([request([1]), wide(5), request([2]), wide(6)].map((r) => batcher.submit(r)));
    expect(answers.map(valuesOf)).toEqual([[2], [10, 10, 10], [4], [12, 12, 12]]);
    expect(rows).toEqual([2, 2]);
  });

  it('may ask for different outputs', async () => {
    const { batcher } = batching();
    const [both, one] = await Promise.all([
      batcher.submit(request([1], { outputs: ['z', 'y'] })),
      batcher.submit(request([2])),
    ]);
    expect(both.outputs.map((tensor) => [tensor.name, tensor.elements[0]])).toEqual([
      ['z', 3],
      ['y', 2],
    ]);
    expect(one.outputs.map((tensor) => [tensor.name, tensor.elements[0]])).toEqual([['y', 4]]);
  });

  it('a bad row fails only its own request', async () => {
    const { batcher } = batching({ rowsMax: 64 });
    const answers = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => batcher.submit(request([index === 7 ? -1 : index]))),
    );
    for (const [index, answer] of answers.entries()) {
      if (index === 7) expect(answer).toMatchObject({ status: 'rejected', reason: { reason: 'MODEL_RUN_FAILED' } });
      else expect(answer.status === 'fulfilled' && valuesOf(answer.value)).toEqual([index * 2]);
    }
  });

  it('a model that gives back another number of rows is run for each request alone', async () => {
    const run = async (inputs: readonly Tensor[], outputs: readonly string[]): Promise<Tensor[]> =>
      (await doubled(inputs, outputs)).map((tensor) =>
        (tensor.shape[0] ?? 0) > 1 ? { ...tensor, shape: [1, 2] } : tensor,
      );
    const { batcher } = batching({ run });
    expect((await Promise.all([1, 2].map((value) => batcher.submit(request([value]))))).map(valuesOf)).toEqual([
      [2],
      [4],
    ]);
  });

  it('wait for others up to the delay, and not longer than until the batch is full', async () => {
    const { batcher, rows } = batching({ rowsMax: 2, delayUs: 60_000_000 });
    const first = batcher.submit(request([1]));
    await new Promise((resolve) => setImmediate(resolve));
    expect(rows).toEqual([]);
    const second = batcher.submit(request([2]));
    expect((await Promise.all([first, second])).map(valuesOf)).toEqual([[2], [4]]);
    expect(rows).toEqual([2]);
  });

  it('are shared out among the runs that are made at the same time', async () => {
    const free: (() => void)[] = [];
    const run = async (inputs: readonly Tensor[], outputs: readonly string[]): Promise<Tensor[]> => {
      await new Promise<void>((resolve) => free.push(resolve));
      return doubled(inputs, outputs);
    };
    const { batcher, rows } = batching({ run, parallel: 2, rowsMax: 16 });
    const answers = Promise.all(Array.from({ length: 8 }, (_, value) => batcher.submit(request([value]))));
    await expect.poll(() => free.length).toBe(2);
    for (const end of free) end();
    expect((await answers).map((answer) => answer.batchRows)).toEqual(Array.from({ length: 8 }, () => 4));
    expect(rows).toEqual([4, 4]);
  });

  it('do not wait for others where of late nobody came', async () => {
    const { batcher, rows } = batching({ delayUs: 20_000 });
    for (let round = 0; round < 60; round++) await batcher.submit(request([round]));
    const answer = await batcher.submit(request([1]));
    expect(answer.batchWaitUs).toBeLessThan(20_000);
    expect(new Set(rows)).toEqual(new Set([1]));
  });

  it('run when the delay has passed although the batch is not full', async () => {
    const { batcher, rows } = batching({ delayUs: 5_000 });
    const answer = await batcher.submit(request([1]));
    expect(rows).toEqual([1]);
    expect(answer.batchWaitUs).toBeGreaterThanOrEqual(4_900);
  });

  it('in an order of their own inputs are joined by name', async () => {
    const sum = async (inputs: readonly Tensor[]): Promise<Tensor[]> => {
      const [a, b] = ['a', 'b'].map((name) => inputs.find((tensor) => tensor.name === name) as FixedTensor);
      const values = ((a as FixedTensor).elements as Float32Array).map(
        (value, index) => value * 10 + Number(b?.elements[index] ?? 0),
      );
      return [{ ...(a as FixedTensor), name: 'y', elements: values }];
    };
    const { batcher, rows } = batching({ run: sum });
    const named = (name: string, value: number): Tensor => ({ ...column([value]), name });
    const answers = await Promise.all([
      batcher.submit(request([], { inputs: [named('a', 1), named('b', 2)] })),
      batcher.submit(request([], { inputs: [named('b', 4), named('a', 3)] })),
    ]);
    expect(answers.map(valuesOf)).toEqual([[12], [34]]);
    expect(rows).toEqual([2]);
  });
});

describe('the queue', () => {
  it('refuses what is beyond its bounds, in requests and in rows', async () => {
    const { batcher } = batching({ queueMax: 2, rowsMax: 1 });
    const results = await Promise.allSettled([1, 2, 3].map((value) => batcher.submit(request([value]))));
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(results[2]).toMatchObject({
      reason: { code: 'resource_exhausted', reason: 'QUEUE_FULL', retryAfterMs: 1000 },
    });
    const byRows = batching({ rowsMax: 2 });
    const many = await Promise.allSettled(Array.from({ length: 200 }, () => byRows.batcher.submit(request([1]))));
    expect(many.filter((result) => result.status === 'fulfilled')).toHaveLength(128);
    const large = batching({ rowsMax: 2 });
    const alone = Array.from({ length: 64 }, () => large.batcher.submit(request(Array.from({ length: 50 }, () => 1))));
    const ran = await Promise.allSettled(alone);
    expect(ran.map((result) => result.status)).toEqual(alone.map(() => 'fulfilled'));
  });

  it('lets go of a request whose caller is gone, without running it', async () => {
    const { batcher, rows } = batching();
    const gone = new AbortController();
    const answers = Promise.allSettled([
      batcher.submit(request([1], { signal: gone.signal })),
      batcher.submit(request([2])),
    ]);
    gone.abort();
    const [first, second] = await answers;
    expect(first).toMatchObject({ reason: { code: 'cancelled' } });
    expect(second.status).toBe('fulfilled');
    expect(rows).toEqual([1]);
    await expect(batcher.submit(request([1], { signal: gone.signal }))).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('checks the deadline before the run', async () => {
    const { batcher, rows } = batching();
    const late = batcher.submit(request([1], { deadlineAtMs: performance.now() - 1 }));
    await expect(late).rejects.toMatchObject({ code: 'deadline_exceeded', reason: 'DEADLINE_BEFORE_RUN' });
    expect(rows).toEqual([]);
    await batcher.idle();
  });

  it('runs live requests before mirrored copies', async () => {
    const order: number[] = [];
    const { batcher } = batching({ rowsMax: 1 });
    const submit = (value: number, yields: boolean): Promise<unknown> =>
      batcher.submit(request([value], { yields })).then(() => order.push(value));
    await Promise.all([submit(1, true), submit(2, true), submit(3, false), submit(4, false)]);
    expect(order).toEqual([3, 4, 1, 2]);
  });

  it('takes a request that is submitted the moment another is answered', async () => {
    const { batcher } = batching();
    for (let round = 0; round < 50; round++)
      expect(valuesOf(await batcher.submit(request([round])))).toEqual([round * 2]);
  });
});
