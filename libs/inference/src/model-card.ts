import {
  ModelConfigResponse,
  ModelMetadataResponse,
  ModelReadyResponse,
  ModelStatisticsResponse,
  DataType as ConfigType,
} from '@mooring/contracts/inference';
import type { DataType } from '@mooring/tensor';
import { protocolShape, type ModelSignature, type TensorSpec } from './signature.ts';
import type { Duration, Statistics } from './statistics.ts';

/** Triton's own name for it. */
export const platformName = 'onnxruntime_onnx';

/** What the Open Inference Protocol says of a model beside inference, in its two encodings. */
export interface Card {
  json: unknown;
  grpc: Uint8Array;
}

export interface Named {
  name: string;
  version: string;
}

export function metadataCard({ name, version }: Named, signature: ModelSignature): Card {
  const tensors = (specs: readonly TensorSpec[]) =>
    specs.map((spec) => ({ name: spec.name, datatype: spec.datatype, shape: protocolShape(spec) }));
  const card = {
    name,
    versions: [version],
    platform: platformName,
    inputs: tensors(signature.inputs),
    outputs: tensors(signature.outputs),
  };
  return { json: card, grpc: ModelMetadataResponse.encode(ModelMetadataResponse.fromPartial(card)).finish() };
}

export function readyCard({ name }: Named, ready: boolean): Card {
  return { json: { name, ready }, grpc: ModelReadyResponse.encode({ ready }).finish() };
}

export interface BatchSettings {
  /** 0 = the model is not batched. */
  rowsMax: number;
  delayUs: number;
}

/** Triton's ModelConfig, as far as it means something here. With batching the dimensions leave out the first one. */
export function configCard({ name }: Named, signature: ModelSignature, batch: BatchSettings): Card {
  const batched = batch.rowsMax > 0;
  const dims = (spec: TensorSpec): number[] => protocolShape(spec).slice(batched ? 1 : 0);
  const tensors = (specs: readonly TensorSpec[]) =>
    specs.map((spec) => ({ name: spec.name, dataType: configType(spec.datatype), dims: dims(spec) }));
  const config = {
    name,
    platform: platformName,
    backend: 'onnxruntime',
    maxBatchSize: batch.rowsMax,
    input: tensors(signature.inputs),
    output: tensors(signature.outputs),
    dynamicBatching: batched ? { maxQueueDelayMicroseconds: batch.delayUs } : undefined,
  };
  const grpc = ModelConfigResponse.encode(ModelConfigResponse.fromPartial({ config })).finish();
  const json = {
    name,
    platform: platformName,
    backend: 'onnxruntime',
    max_batch_size: batch.rowsMax,
    input: signature.inputs.map((spec) => ({
      name: spec.name,
      data_type: configName(spec.datatype),
      dims: dims(spec),
    })),
    output: signature.outputs.map((spec) => ({
      name: spec.name,
      data_type: configName(spec.datatype),
      dims: dims(spec),
    })),
    ...(batched ? { dynamic_batching: { max_queue_delay_microseconds: batch.delayUs } } : {}),
  };
  return { json, grpc };
}

/** Triton calls texts STRING in its configuration and BYTES everywhere else. */
function configName(datatype: DataType): `TYPE_${string}` {
  return `TYPE_${datatype === 'BYTES' ? 'STRING' : datatype}`;
}

function configType(datatype: DataType): ConfigType {
  return ConfigType[configName(datatype) as keyof typeof ConfigType];
}

export function statisticsCard({ name, version }: Named, statistics: Statistics): Card {
  const none: Duration = { count: 0, ns: 0 };
  const { success, fail, queue, computeInput, computeInfer, computeOutput } = statistics;
  const stats = { success, fail, queue, computeInput, computeInfer, computeOutput, cacheHit: none, cacheMiss: none };
  const batches = [...statistics.batches].toSorted(([a], [b]) => a - b);
  const grpc = ModelStatisticsResponse.encode(
    ModelStatisticsResponse.fromPartial({
      modelStats: [
        {
          name,
          version,
          lastInference: statistics.lastInference,
          inferenceCount: statistics.inferenceCount,
          executionCount: statistics.executionCount,
          inferenceStats: stats,
          batchStats: batches.map(([batchSize, compute]) => ({
            batchSize,
            computeInput: none,
            computeInfer: compute,
            computeOutput: none,
          })),
        },
      ],
    }),
  ).finish();
  const model = {
    name,
    version,
    last_inference: statistics.lastInference,
    inference_count: statistics.inferenceCount,
    execution_count: statistics.executionCount,
    inference_stats: {
      success,
      fail,
      queue,
      compute_input: computeInput,
      compute_infer: computeInfer,
      compute_output: computeOutput,
      cache_hit: none,
      cache_miss: none,
    },
    response_stats: {},
    batch_stats: batches.map(([size, compute]) => ({
      batch_size: size,
      compute_input: none,
      compute_infer: compute,
      compute_output: none,
    })),
    memory_usage: [],
  };
  return { json: { model_stats: [model] }, grpc };
}
