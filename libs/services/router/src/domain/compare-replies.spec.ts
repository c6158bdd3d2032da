import { expect, it } from 'vitest';
import { ModelInferResponse } from '@mooring/contracts/inference';
import { Protocol } from '@mooring/contracts/scoring';
import { PlatformError } from '@mooring/errors';
import { failedReply, reply } from '@mooring/scoring-stream';
import { compareReplies } from './compare-replies.ts';

const rule = { tolerance: 1e-3, ignore: ['model', 'rows.model'], bytesMax: 10_000 };
const json = (value: unknown) => reply({ status: 200, body: Buffer.from(JSON.stringify(value)) });
const compare = (live: unknown, mirror: unknown) =>
  compareReplies(Protocol.PROTOCOL_SCORE, json(live), json(mirror), rule);

it.each([
  { why: 'same bytes', live: { a: 1 }, mirror: { a: 1 }, want: { result: 'equal', where: '' } },
  { why: 'another order of keys', live: { a: 1, b: 2 }, mirror: { b: 2, a: 1 }, want: { result: 'equal', where: '' } },
  { why: 'a small absolute difference', live: [0.0001], mirror: [0.0009], want: { result: 'within', where: '[0]' } },
  {
    why: 'a small relative difference',
    live: [10_000],
    mirror: [10_009],
    want: { result: 'within', where: '[0]', maxDifference: 9 },
  },
  {
    why: 'a large difference',
    live: { p: [[1, 2]] },
    mirror: { p: [[1, 2.5]] },
    want: { result: 'differs', where: 'p[0][1]', maxDifference: 0.5 },
  },
  {
    why: 'first within, then differs',
    live: [1, 1],
    mirror: [1.0005, 9],
    want: { result: 'differs', where: '[1]', maxDifference: 8 },
  },
  {
    why: 'an ignored name',
    live: { model: 'martina', p: 1 },
    mirror: { model: 'luca', p: 1 },
    want: { result: 'equal', where: '' },
  },
  {
    why: 'an ignored name in rows',
    live: { rows: [{ model: 'a', p: 1 }] },
    mirror: { rows: [{ model: 'b', p: 1 }] },
    want: { result: 'equal', where: '' },
  },
  {
    why: 'the same name elsewhere',
    live: { x: { model: 'a' } },
    mirror: { x: { model: 'b' } },
    want: { result: 'differs', where: 'x.model' },
  },
  { why: 'a missing key', live: { a: 1, b: 2 }, mirror: { a: 1 }, want: { result: 'differs', where: 'b' } },
  { why: 'another length', live: [1, 2], mirror: [1], want: { result: 'differs', where: '[1]' } },
  { why: 'another kind', live: { a: [1] }, mirror: { a: { 0: 1 } }, want: { result: 'differs', where: 'a' } },
  { why: 'null', live: { a: null }, mirror: { a: 0 }, want: { result: 'differs', where: 'a' } },
  { why: 'JSON in a string', live: '{"p": 1}', mirror: '{"p": 1.0001}', want: { result: 'within', where: 'p' } },
  { why: 'plain strings', live: 'sedan', mirror: 'coupe', want: { result: 'differs', where: '$' } },
])('JSON with $why: $want.result', ({ live, mirror, want }) => {
  expect(compare(live, mirror)).toMatchObject(want);
});

it('says differs for bytes that are not what the content type says, and for large ones without decoding them', () => {
  const broken = reply({ status: 200, body: Buffer.from('{') });
  expect(compareReplies(Protocol.PROTOCOL_SCORE, json({}), broken, rule)).toEqual({ result: 'differs', where: 'body' });
  expect(compare('x'.repeat(20_000), 'y'.repeat(20_000))).toEqual({ result: 'differs', where: 'body' });
  expect(compare('x'.repeat(20_000), 'x'.repeat(20_000))).toEqual({ result: 'equal', where: '' });
  expect(
    compare(
      JSON.parse(`${'['.repeat(3_000)}1${']'.repeat(3_000)}`),
      JSON.parse(`${'['.repeat(3_000)}2${']'.repeat(3_000)}`),
    ).result,
  ).toBe('differs');
});

it('tells a failed mirror from a live call that failed in the same or another way', () => {
  const bad = failedReply(new PlatformError('invalid_argument', 'BAD_INPUT', 'no'), true);
  const gone = failedReply(new PlatformError('unavailable', 'INSTANCE_LOST', 'no'), true);
  const compareAs = (live: typeof bad, mirror: typeof bad) =>
    compareReplies(Protocol.PROTOCOL_SCORE, live, mirror, rule);
  expect(compareAs(json(1), gone)).toEqual({ result: 'failed', where: 'INSTANCE_LOST' });
  expect(compareAs(bad, bad)).toEqual({ result: 'equal', where: '' });
  expect(compareAs(bad, gone)).toEqual({ result: 'failed', where: 'INSTANCE_LOST' });
  expect(compareAs(bad, json(1))).toEqual({ result: 'differs', where: 'status' });
  expect(compareAs(json(1), { ...json(1), status: 201 })).toEqual({ result: 'differs', where: 'status' });
});

const floats = (...values: number[]) => Buffer.from(new Float32Array(values).buffer);

function grpc(modelName: string, datatype: string, raw: Buffer) {
  const outputs = [{ name: 'probs', datatype, shape: [1, 2], parameters: {}, contents: undefined }];
  const message = { modelName, modelVersion: modelName, id: '', parameters: {}, outputs, rawOutputContents: [raw] };
  return reply({ status: 200, body: Buffer.from(ModelInferResponse.encode(message).finish()) });
}

it('compares tensors of gRPC answers as numbers, whatever their model is called', () => {
  const as = (live: ReturnType<typeof grpc>, mirror: typeof live) =>
    compareReplies(Protocol.PROTOCOL_OIP_GRPC, live, mirror, rule);
  const live = grpc('martina', 'FP32', floats(0.5, 0.25));
  expect(as(live, grpc('luca', 'FP32', floats(0.5, 0.25)))).toEqual({ result: 'equal', where: '' });
  expect(as(live, grpc('luca', 'FP32', floats(0.5, 0.2501)))).toMatchObject({ result: 'within', where: 'probs[1]' });
  expect(as(live, grpc('luca', 'FP32', floats(0.5, 0.75)))).toMatchObject({
    result: 'differs',
    where: 'probs[1]',
    maxDifference: 0.5,
  });
  expect(as(live, grpc('luca', 'FP64', Buffer.alloc(16)))).toMatchObject({
    result: 'differs',
    where: 'probs.datatype',
  });
  expect(as(grpc('m', 'BYTES', Buffer.from('a')), grpc('m', 'BYTES', Buffer.from('b')))).toMatchObject({
    where: 'probs',
  });
});

it('compares binary REST answers output by output', () => {
  const binary = (model: string, ...values: number[]) => {
    const raw = floats(...values);
    const outputs = [
      { name: 'probs', datatype: 'FP32', shape: [1, values.length], parameters: { binary_data_size: raw.length } },
    ];
    const header = Buffer.from(JSON.stringify({ model_name: model, outputs }));
    return reply({ status: 200, inferenceHeaderLengthPlusOne: header.length + 1, body: Buffer.concat([header, raw]) });
  };
  const as = (live: ReturnType<typeof binary>, mirror: typeof live) =>
    compareReplies(Protocol.PROTOCOL_OIP_REST, live, mirror, rule);
  expect(as(binary('martina', 1, 2), binary('luca', 1, 2))).toEqual({ result: 'equal', where: '' });
  expect(as(binary('martina', 1, 2), binary('luca', 1, 2.0001))).toMatchObject({ result: 'within', where: 'probs[1]' });
  expect(as(binary('martina', 1, 2), binary('luca', 1, 3))).toMatchObject({ result: 'differs', where: 'probs[1]' });
  expect(as(binary('martina', 1, 2), binary('luca', 1))).toMatchObject({ result: 'differs' });
});
