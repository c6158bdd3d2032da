import { Operation } from '@mooring/contracts/scoring';
import { errorOf, type ScoreReply, type ScoringPort } from '@mooring/scoring-stream';
import { peekInferRequest } from '../domain/infer-peek.ts';
import type { GrpcContext, UnaryContext } from './grpc-context.ts';
import { authorize, scoreCall, type CallerDeps } from './infer-call.ts';
import type { ServedRequests } from './served-requests.ts';

export interface InferDeps extends CallerDeps {
  route: ScoringPort;
  served: ServedRequests;
}

/** Scores one encoded ModelInferRequest; throws what went wrong. Recorded as one request either way. */
export async function infer(
  deps: InferDeps,
  protocol: 'oip_grpc' | 'oip_stream',
  message: Buffer,
  context: GrpcContext,
): Promise<ScoreReply> {
  const record = deps.served.begin(protocol, context, message.length);
  try {
    const peek = peekInferRequest(message);
    record.named(peek.id);
    const model = { name: peek.modelName, version: peek.modelVersion };
    const call = scoreCall(Operation.OPERATION_INFER, model, { ...context, traceparent: record.traceparent }, message);
    authorize(deps, model, context);
    record.authorized();
    const answer = await deps.route.score(call, context.signal);
    context.decided?.(answer);
    record.routed(deps.directory.endpoint(model.name)?.writtenName ?? '', answer);
    const error = errorOf(answer);
    if (error) throw error;
    record.end();
    return answer;
  } catch (thrown) {
    record.end(thrown);
    throw thrown;
  }
}

export function createModelInfer(deps: InferDeps) {
  return async (message: Buffer, context: UnaryContext): Promise<Buffer> => {
    const answer = await infer(deps, 'oip_grpc', message, context);
    context.sendHeaders({
      'azureml-model-deployment': answer.deployment,
      'x-ms-request-id': context.requestId,
      ...repeatHeaders(answer),
    });
    return answer.body;
  };
}

/** Whether the answer is that of another request. */
function repeatHeaders({ cache, idempotency }: ScoreReply): Record<string, string> | undefined {
  if (cache === '' && idempotency === '') return undefined;
  return {
    ...(cache === '' ? {} : { 'x-mooring-cache': cache }),
    ...(idempotency === '' ? {} : { 'x-mooring-idempotency': idempotency }),
    ...(idempotency === 'replayed' ? { 'idempotency-replayed': 'true' } : {}),
  };
}
