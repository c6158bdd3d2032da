import { Operation, Priority, Protocol } from '@mooring/contracts/scoring';
import { checkIdempotencyKey } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { ScoreCall } from '@mooring/scoring-stream';
import type { Directory } from '../domain/directory.ts';
import type { EndpointGate } from '../ports.ts';
import type { GrpcContext } from './grpc-context.ts';

export interface CallerDeps {
  directory: Directory;
  gate: EndpointGate;
}

/** Model name and version as the caller wrote them: endpoint and deployment. */
export interface ModelRef {
  name: string;
  version: string;
}

/**
 * Lets a caller through to one endpoint. A caller without a key learns nothing; one with a key learns that there is no
 * such endpoint.
 */
export function authorize({ directory, gate }: CallerDeps, model: ModelRef, context: GrpcContext): void {
  if (model.name === '') {
    throw new PlatformError(
      'invalid_argument',
      'MODEL_NAME_MISSING',
      'the model name is empty; give the name of the endpoint',
    );
  }
  if (context.authorization === '') throw missingKey();
  // The route says in its own words that the endpoint does not exist.
  if (directory.endpoint(model.name) !== undefined) gate.check(model.name, context.authorization);
}

export function missingKey(): PlatformError {
  return new PlatformError(
    'unauthenticated',
    'KEY_MISSING',
    "send the endpoint's key as metadata `authorization: Bearer <key>`; `mooring online-endpoint get-credentials` shows it",
  );
}

const keyPlace = 'the metadata idempotency-key (in a stream: the request parameter idempotency_key)';

/** The routed call of a gRPC request. `body` is forwarded as it is. */
export function scoreCall(operation: Operation, model: ModelRef, context: GrpcContext, body: Buffer): ScoreCall {
  return {
    operation,
    protocol: Protocol.PROTOCOL_OIP_GRPC,
    endpoint: model.name,
    deployment: pinOf(model.version, context.pin),
    requestId: context.requestId,
    deadlineMs: context.deadlineMs,
    priority: Priority.PRIORITY_LIVE,
    traceparent: context.traceparent,
    contentType: 'application/grpc',
    inferenceHeaderLengthPlusOne: 0,
    method: '',
    query: '',
    headers: [],
    modelName: model.name,
    modelVersion: model.version,
    idempotencyKey: context.idempotencyKey === undefined ? '' : checkIdempotencyKey(context.idempotencyKey, keyPlace),
    body,
  };
}

function pinOf(version: string, header: string): string {
  if (version === '' || header === '' || version.toLowerCase() === header.toLowerCase()) return version || header;
  throw new PlatformError(
    'invalid_argument',
    'DEPLOYMENT_AMBIGUOUS',
    'the model version and the metadata azureml-model-deployment name different deployments; send one of them',
  );
}
