import { describe, expect, it } from 'vitest';
import { createOnnxRuntime } from '../onnx-runtime.ts';
import { onnxSpec, quiet } from '../testing.ts';
import { rowsAsked } from '../signature.ts';
import { choosePlacement } from './choose-placement.ts';
import { placeModel } from './place-model.ts';
import { whyNotInline } from './why-not-inline.ts';

describe('where a model runs', () => {
  it.each([
    { pin: 'auto', runUs: 7, unsafe: undefined, chosen: 'inline' },
    { pin: 'auto', runUs: 301, unsafe: undefined, chosen: 'process' },
    { pin: 'auto', runUs: 7, unsafe: 'it loops', chosen: 'process' },
    { pin: 'auto', runUs: 1_001, unsafe: undefined, chosen: 'threads' },
    { pin: 'auto', runUs: 0, unsafe: undefined, chosen: 'threads' },
    { pin: 'process', runUs: 7, unsafe: undefined, chosen: 'process' },
    { pin: 'threads', runUs: 7, unsafe: undefined, chosen: 'threads' },
    { pin: 'inline', runUs: 900, unsafe: undefined, chosen: 'inline' },
    { pin: 'inline', runUs: 7, unsafe: 'it loops', chosen: 'process' },
    { pin: 'inline', runUs: 0, unsafe: undefined, chosen: 'threads' },
  ] as const)('is $chosen for $pin, $runUs us, unsafe: $unsafe', ({ pin, chosen, ...measured }) => {
    const choice = choosePlacement(pin, measured);
    expect(choice.chosen).toBe(chosen);
    expect(choice.why).not.toBe('');
  });

  it('says why a pin could not be kept', () => {
    const { why } = choosePlacement('inline', { runUs: 7, unsafe: 'it has loops' });
    expect(why).toContain('not inline as mooring.placement asks: it has loops');
  });
});

describe('a process of its own', () => {
  it.each([
    { threads: 2, parallel: 2, why: 'a long run leaves its event loop free and uses its cores' },
    { threads: 1, parallel: 1, why: 'there is only one core' },
  ])('makes $parallel long runs at a time on $threads cores: $why', async ({ threads, parallel }) => {
    const spec = onnxSpec('slow-and-bad/models/heavy.onnx', { placement: 'process' });
    const { engine, placement } = await placeModel({ ...spec, threads }, quiet, () => performance.now());
    expect(placement.chosen).toBe('process');
    expect(engine.parallel).toBe(parallel);
    await engine.release(AbortSignal.timeout(5_000));
  });
});

describe('a model in a process that serves others', () => {
  const graph = { operators: new Set(['Gemm']), hasSubgraphs: false, hasExternalData: false };
  const input = { name: 'x', datatype: 'FP32', shape: ['N', 4] } as const;
  const output = { name: 'y', datatype: 'FP32', shape: ['N', 3] } as const;
  const signature = { inputs: [input], outputs: [output] };

  it('may be small, of one free dimension and of plain operators', () => {
    expect(whyNotInline(1_000, signature, graph)).toBeUndefined();
  });

  it.each([
    { why: 'is large', got: whyNotInline(300_000, signature, graph), says: '300000 bytes' },
    { why: 'has loops', got: whyNotInline(1, signature, { ...graph, hasSubgraphs: true }), says: 'loops' },
    {
      why: 'has an operator whose time depends on values',
      got: whyNotInline(1, signature, { ...graph, operators: new Set(['Expand']) }),
      says: 'Expand',
    },
    {
      why: 'has operators of another maker',
      got: whyNotInline(1, signature, { ...graph, operators: new Set(['com.microsoft.Gelu']) }),
      says: 'com.microsoft.Gelu',
    },
    {
      why: 'takes any rank',
      got: whyNotInline(1, { ...signature, inputs: [{ ...input, shape: [] }] }, graph),
      says: 'any rank',
    },
    {
      why: 'has two free dimensions',
      got: whyNotInline(1, { ...signature, inputs: [{ ...input, shape: ['N', 'M'] }] }, graph),
      says: 'more than its first dimension',
    },
    {
      why: 'answers in a size that its input does not tell',
      got: whyNotInline(1, { ...signature, outputs: [{ ...output, shape: ['N', 'K'] }] }, graph),
      says: 'that no input has',
    },
    {
      why: 'answers with a lot for each row',
      got: whyNotInline(1, { ...signature, outputs: [{ ...output, shape: ['N', 100_000] }] }, graph),
      says: '100000 elements',
    },
  ])('must not be one that $why', ({ got, says }) => {
    expect(got).toContain(says);
  });
});

describe('the models of the fixtures', () => {
  it.each([
    { file: 'iris-onnx/model.onnx', chosen: 'inline', why: 'one run takes' },
    { file: 'digits-mlp-onnx/model.onnx', chosen: 'inline', why: 'one run takes' },
    { file: 'slow-and-bad/models/heavy.onnx', chosen: 'threads', why: 'too long to hold up the scorer' },
    { file: 'slow-and-bad/models/external-data/model.onnx', chosen: 'process', why: 'other files' },
    { file: 'slow-and-bad/models/huge-output.onnx', chosen: 'process', why: 'Expand' },
    { file: 'slow-and-bad/models/dynamic-rank.onnx', chosen: 'process', why: 'any rank' },
    { file: 'slow-and-bad/models/string-category.onnx', chosen: 'process', why: 'is text' },
  ])('$file: $chosen', async ({ file, chosen, why }) => {
    const runtime = createOnnxRuntime(onnxSpec(file), quiet);
    await runtime.start();
    expect(runtime.placement()).toMatchObject({ chosen, why: expect.stringContaining(why) });
    await runtime.stop(AbortSignal.timeout(5_000));
  });

  it('share runs inline by themselves only where no answer changes by a bit', async () => {
    const rows = async (file: string): Promise<number | undefined> => {
      const runtime = createOnnxRuntime(onnxSpec(file, { placement: 'inline' }), quiet);
      await runtime.start();
      await runtime.stop(AbortSignal.timeout(5_000));
      return runtime.placement()?.inline?.batchRowsMax;
    };
    // ONNX Runtime multiplies one row by another kernel than several: iris differs in the last bit of a probability.
    expect(await rows('iris-onnx/model.onnx')).toBe(0);
    expect(await rows('slow-and-bad/models/nan-inf.onnx')).toBeGreaterThan(1);
  });
});

describe('the rows of a request', () => {
  const signature = {
    inputs: [
      { name: 'x', datatype: 'FP32', shape: ['N', 4] },
      { name: 'k', datatype: 'FP32', shape: [3] },
    ],
    outputs: [],
  } as const;
  const tensor = (name: string, shape: number[]) =>
    ({ name, datatype: 'FP32', shape, elements: new Float32Array(0) }) as const;

  it('are those of the inputs that may have any number of them', () => {
    expect(rowsAsked(signature, [tensor('k', [3]), tensor('x', [7, 4])])).toBe(7);
    expect(rowsAsked({ inputs: [signature.inputs[1]], outputs: [] }, [tensor('k', [3])])).toBe(1);
  });
});
