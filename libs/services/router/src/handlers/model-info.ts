import {
  ModelConfigRequest,
  ModelMetadataRequest,
  ModelReadyRequest,
  ModelReadyResponse,
  ModelStatisticsRequest,
} from '@mooring/contracts/inference';
import { Operation } from '@mooring/contracts/scoring';
import { PlatformError } from '@mooring/errors';
import { errorOf } from '@mooring/scoring-stream';
import type { UnaryContext } from './grpc-context.ts';
import { authorize, missingKey, scoreCall, type ModelRef } from './infer-call.ts';
import type { InferDeps } from './model-infer.ts';

type Handler = (message: Buffer, context: UnaryContext) => Promise<Buffer>;

/** Decodes a message; one that cannot be decoded is the caller's fault. */
export function decode<T>(codec: { decode(message: Buffer): T }, message: Buffer): T {
  try {
    return codec.decode(message);
  } catch (cause) {
    throw new PlatformError('invalid_argument', 'MALFORMED_MESSAGE', 'the message cannot be decoded', { cause });
  }
}

/** Answers `operation` with what an instance says of its model; the bytes are passed on. */
async function ask(deps: InferDeps, operation: Operation, model: ModelRef, context: UnaryContext): Promise<Buffer> {
  authorize(deps, model, context);
  const answer = await deps.route.score(scoreCall(operation, model, context, Buffer.alloc(0)), context.signal);
  const error = errorOf(answer);
  if (error) throw error;
  return answer.body;
}

export function createModelMetadata(deps: InferDeps): Handler {
  return async (message, context) =>
    ask(deps, Operation.OPERATION_METADATA, decode(ModelMetadataRequest, message), context);
}

export function createModelConfig(deps: InferDeps): Handler {
  return async (message, context) =>
    ask(deps, Operation.OPERATION_CONFIG, decode(ModelConfigRequest, message), context);
}

/** Not ready is an answer; an endpoint or deployment that does not exist is an error. */
export function createModelReady(deps: InferDeps): Handler {
  return async (message, context) => {
    let ready = true;
    try {
      await ask(deps, Operation.OPERATION_READY, decode(ModelReadyRequest, message), context);
    } catch (thrown) {
      const { code, reason } = PlatformError.from(thrown);
      if (!['unavailable', 'resource_exhausted'].includes(code) && reason !== 'NO_TRAFFIC') throw thrown;
      ready = false;
    }
    return Buffer.from(ModelReadyResponse.encode({ ready }).finish());
  };
}

/** An empty name asks for every endpoint that the caller's key opens. */
export function createModelStatistics(deps: InferDeps): Handler {
  return async (message, context) => {
    const model = decode(ModelStatisticsRequest, message);
    if (model.name !== '') return ask(deps, Operation.OPERATION_STATISTICS, model, context);
    const names = openedEndpoints(deps, context.authorization);
    const parts = await Promise.all(
      names.map((name) =>
        ask(deps, Operation.OPERATION_STATISTICS, { name, version: '' }, context).catch(emptyIfNotReady),
      ),
    );
    // Messages that hold only a repeated field merge by concatenation.
    return Buffer.concat(parts);
  };
}

/** An endpoint without instances has no statistics; that must not hide those of the others. */
function emptyIfNotReady(thrown: unknown): Buffer {
  if (PlatformError.from(thrown).code === 'unavailable') return Buffer.alloc(0);
  throw thrown;
}

/** Names of the endpoints that a key opens; throws when there is no key at all. */
export function openedEndpoints({ directory, gate }: InferDeps, authorization: string): string[] {
  if (authorization === '') throw missingKey();
  return [...directory.all()].flatMap(({ name }) => {
    try {
      gate.check(name, authorization);
      return [name];
    } catch {
      return [];
    }
  });
}
