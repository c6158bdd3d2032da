import { Metadata, type ServiceDefinition } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import {
  GRPCInferenceServiceService,
  ServerLiveResponse,
  ServerMetadataResponse,
  ServerReadyResponse,
} from '@mooring/contracts/inference';
import type { GuardedService } from '@mooring/grpc-server';
import { createInflationGuard } from './guard-inflation.ts';
import { rawUnary, type UnaryContext } from './grpc-context.ts';
import { createModelConfig, createModelMetadata, createModelReady, createModelStatistics } from './model-info.ts';
import { createModelInfer } from './model-infer.ts';
import { createModelStreamInfer, type StreamDeps } from './model-stream-infer.ts';
import { createRepositoryIndex, refuseRepositoryChange } from './repository.ts';

export interface InferenceServiceDeps extends StreamDeps {
  log: Logger;
  ready: () => boolean;
}

const same = (bytes: Buffer): Buffer => bytes;

/**
 * The generated methods with bytes in and bytes out: tensors are never decoded here, and a message that cannot be decoded
 * is answered as the caller's fault (grpc-js itself would call it INTERNAL).
 */
const rawDefinition = Object.fromEntries(
  Object.entries(GRPCInferenceServiceService).map(([name, method]) => [
    name,
    { ...method, requestDeserialize: same, responseSerialize: same },
  ]),
) as unknown as ServiceDefinition;

/** `inference.GRPCInferenceService`: model name = endpoint, version = deployment. */
export function createInferenceService(deps: InferenceServiceDeps): GuardedService {
  const unary = (handler: (message: Buffer, context: UnaryContext) => Promise<Buffer> | Buffer) =>
    rawUnary(deps.log, (headers) => Metadata.fromHttp2Headers(headers), handler);
  return {
    definition: rawDefinition,
    guardInflation: createInflationGuard(deps),
    implementation: {
      serverLive: unary(() => Buffer.from(ServerLiveResponse.encode({ live: true }).finish())),
      serverReady: unary(() => Buffer.from(ServerReadyResponse.encode({ ready: deps.ready() }).finish())),
      serverMetadata: unary(() => serverMetadata),
      modelReady: unary(createModelReady(deps)),
      modelMetadata: unary(createModelMetadata(deps)),
      modelConfig: unary(createModelConfig(deps)),
      modelStatistics: unary(createModelStatistics(deps)),
      modelInfer: unary(createModelInfer(deps)),
      modelStreamInfer: createModelStreamInfer(deps),
      repositoryIndex: unary(createRepositoryIndex(deps)),
      repositoryModelLoad: unary(refuseRepositoryChange),
      repositoryModelUnload: unary(refuseRepositoryChange),
    },
  };
}

const serverMetadata = Buffer.from(
  ServerMetadataResponse.encode({
    name: 'mooring',
    version: '0.1.0',
    extensions: ['binary_tensor_data', 'model_configuration', 'model_repository', 'parameters', 'statistics'],
  }).finish(),
);
