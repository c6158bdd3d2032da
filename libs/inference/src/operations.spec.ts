import { describe, expect, it } from 'vitest';
import {
  DataType,
  ModelConfigResponse,
  ModelMetadataResponse,
  ModelReadyResponse,
  ModelStatisticsResponse,
} from '@mooring/contracts/inference';
import { Operation, Protocol } from '@mooring/contracts/scoring';
import { errorOf, type ModelRuntime, type ScoreReply } from '@mooring/scoring-stream';
import { createOnnxRuntime } from './index.ts';
import { inferJson, jsonOf, never, onnxSpec, quiet, scoreCall, scoreJson, startOnnx } from './testing.ts';

const ask = (runtime: ModelRuntime, operation: Operation, fields: object = {}): Promise<ScoreReply> =>
  runtime.score(scoreCall({ operation, modelName: 'flowers', modelVersion: '', ...fields }), never);
const grpc = { protocol: Protocol.PROTOCOL_OIP_GRPC };
const row = { inputs: [{ name: 'input', shape: [2, 4], datatype: 'FP32', data: [1, 2, 3, 4, 5, 6, 7, 8] }] };

describe('metadata', () => {
  it('is the model’s signature with -1 for free dimensions, in both encodings', async () => {
    const runtime = await startOnnx('iris-onnx/model.onnx');
    const want = {
      name: 'flowers',
      versions: ['blue'],
      platform: 'onnxruntime_onnx',
      inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, 4] }],
      outputs: [
        { name: 'label', datatype: 'INT64', shape: [-1] },
        { name: 'probabilities', datatype: 'FP32', shape: [-1, 3] },
      ],
    };
    expect(jsonOf(await ask(runtime, Operation.OPERATION_METADATA))).toEqual(want);
    const answer = await ask(runtime, Operation.OPERATION_METADATA, grpc);
    expect(ModelMetadataResponse.decode(answer.body)).toMatchObject(want);
  });
});

describe('readiness', () => {
  it('is told before, while and after the model is there', async () => {
    const runtime = createOnnxRuntime(onnxSpec('iris-onnx/model.onnx'), quiet);
    expect(jsonOf(await ask(runtime, Operation.OPERATION_READY))).toEqual({ name: 'flowers', ready: false });
    expect(await ask(runtime, Operation.OPERATION_METADATA)).toMatchObject({
      errorCode: 'unavailable',
      started: false,
    });
    await runtime.start();
    expect(jsonOf(await ask(runtime, Operation.OPERATION_READY))).toEqual({ name: 'flowers', ready: true });
    expect(ModelReadyResponse.decode((await ask(runtime, Operation.OPERATION_READY, grpc)).body).ready).toBe(true);
    await runtime.stop(AbortSignal.timeout(1_000));
    expect(runtime.ready()).toBe(false);
  });
});

describe('configuration', () => {
  it('leaves out the batch dimension of a model that is batched', async () => {
    const runtime = await startOnnx('iris-onnx/model.onnx', { batchMaxRows: 32, batchMaxDelayUs: 100 });
    expect(jsonOf(await ask(runtime, Operation.OPERATION_CONFIG))).toMatchObject({
      name: 'flowers',
      max_batch_size: 32,
      input: [{ name: 'input', data_type: 'TYPE_FP32', dims: [4] }],
      dynamic_batching: { max_queue_delay_microseconds: 100 },
    });
    const { config } = ModelConfigResponse.decode((await ask(runtime, Operation.OPERATION_CONFIG, grpc)).body);
    expect(config).toMatchObject({ maxBatchSize: 32, input: [{ dataType: DataType.TYPE_FP32, dims: [4] }] });
  });

  it('calls texts TYPE_STRING and keeps all dimensions without batching', async () => {
    const runtime = await startOnnx('slow-and-bad/models/string-category.onnx');
    expect(jsonOf(await ask(runtime, Operation.OPERATION_CONFIG))).toMatchObject({
      max_batch_size: 0,
      input: [{ data_type: 'TYPE_STRING', dims: [-1, 1] }],
    });
  });
});

describe('statistics', () => {
  it('count rows, runs, successes and failures', async () => {
    const runtime = await startOnnx('iris-onnx/model.onnx', { batchMaxRows: 8 });
    await Promise.all([1, 2, 3].map(() => runtime.score(inferJson(row), never)));
    await runtime.score(inferJson(row), never);
    await runtime.score(inferJson({ inputs: [] }), never);
    const [stats] = jsonOf(await ask(runtime, Operation.OPERATION_STATISTICS)).model_stats;
    expect(stats).toMatchObject({ name: 'flowers', version: 'blue', inference_count: 8, execution_count: 2 });
    expect(stats.inference_stats).toMatchObject({ success: { count: 4 }, fail: { count: 1 }, queue: { count: 4 } });
    expect(stats.batch_stats.map((batch: { batch_size: number }) => batch.batch_size)).toEqual([2, 6]);
    expect(stats.last_inference).toBeGreaterThan(1_600_000_000_000);
    const decoded = ModelStatisticsResponse.decode((await ask(runtime, Operation.OPERATION_STATISTICS, grpc)).body);
    expect(decoded.modelStats[0]).toMatchObject({ inferenceCount: 8, executionCount: 2 });
  });
});

describe('the API description', () => {
  it.each([
    ['', 'swagger', '2.0'],
    ['version=2', 'swagger', '2.0'],
    ['version=3', 'openapi', '3.0.3'],
    ['version=3.1', 'openapi', '3.1.0'],
  ])('of query %j has %s %s with the model’s own shapes', async (query, key, version) => {
    const runtime = await startOnnx('iris-onnx/model.onnx');
    const description = jsonOf(await ask(runtime, Operation.OPERATION_SWAGGER, { query }));
    expect(description[key]).toBe(version);
    expect(Object.keys(description.paths)).toEqual(['/', '/score']);
    const schemas = description.definitions ?? description.components.schemas;
    expect(schemas.ServiceInput.properties.data).toMatchObject({
      type: 'array',
      items: { type: 'array', minItems: 4, maxItems: 4, items: { type: 'number', format: 'float' } },
    });
    expect(schemas.ServiceOutput.properties.label.items).toEqual({ type: 'integer', format: 'int64' });
  });

  it('has examples that the model takes', async () => {
    for (const model of [
      'iris-onnx/model.onnx',
      'slow-and-bad/models/mixed-dtypes.onnx',
      'slow-and-bad/models/string-category.onnx',
    ]) {
      const runtime = await startOnnx(model);
      const { definitions } = jsonOf(await ask(runtime, Operation.OPERATION_SWAGGER));
      expect(errorOf(await runtime.score(scoreJson(definitions.ServiceInput.example), never))).toBeUndefined();
    }
  });

  it('of an unknown version is not found', async () => {
    const runtime = await startOnnx('iris-onnx/model.onnx');
    expect(errorOf(await ask(runtime, Operation.OPERATION_SWAGGER, { query: 'version=9' }))?.code).toBe('not_found');
  });
});

describe('limits', () => {
  it('a request beyond the deployment’s size is refused before it is parsed', async () => {
    const runtime = await startOnnx('iris-onnx/model.onnx', { maxRequestBytes: 1_024 });
    const answer = await runtime.score(inferJson(' '.repeat(1_025)), never);
    expect(errorOf(answer)).toMatchObject({ code: 'too_large', reason: 'REQUEST_TOO_LARGE' });
  });

  it('an operation that is none is unimplemented', async () => {
    const runtime = await startOnnx('iris-onnx/model.onnx');
    expect(errorOf(await ask(runtime, Operation.OPERATION_UNSPECIFIED))?.code).toBe('unimplemented');
  });

  it('a whole OIP request and named outputs work in /score', async () => {
    const runtime = await startOnnx('iris-onnx/model.onnx');
    const answer = jsonOf(await runtime.score(scoreJson({ ...row, outputs: [{ name: 'label' }] }), never));
    expect(Object.keys(answer)).toEqual(['label']);
  });
});
