import { Operation } from '@mooring/contracts/scoring';
import { answerOf, errorOf, type ScoreReply, type ScoringPort } from '@mooring/scoring-stream';
import { peekInferRequest } from '../domain/infer-peek.ts';
import type { GrpcContext, UnaryContext } from './grpc-context.ts';
import { authorize, scoreCall, type CallerDeps } from './infer-call.ts';
import type { ServedRequests } from './served-requests.ts';

export interface InferDeps extends CallerDeps {
  route: ScoringPort;
  served: ServedRequests;
}

/** Scores one encoded ModelInferRequest; throws, or rejects with, what went wrong. Recorded as one request either way. */
export function infer(
  deps: InferDeps,
  protocol: 'oip_grpc' | 'oip_stream',
  message: Buffer,
  context: GrpcContext,
): ScoreReply | Promise<ScoreReply> {
  const record = deps.served.begin(protocol, context, message.length);
  const failed = (thrown: unknown): never => {
    record.end(thrown);
    throw thrown;
  };
  try {
    const peek = peekInferRequest(message);
    record.named(peek.id);
    const model = { name: peek.modelName, version: peek.modelVersion };
    const call = scoreCall(Operation.OPERATION_INFER, model, { ...context, traceparent: record.traceparent }, message);
    authorize(deps, model, context);
    record.authorized();
    const routed = (answer: ScoreReply): ScoreReply => {
      context.decided?.(answer);
      record.routed(deps.directory.endpoint(model.name)?.writtenName ?? '', answer);
      const error = errorOf(answer);
      if (error) throw error;
      record.end();
      return answer;
    };
    const answer = answerOf(deps.route, call, context.signal);
    return answer instanceof Promise ? answer.then(routed).catch(failed) : routed(answer);
  } catch (thrown) {
    return failed(thrown);
  }
}

export function createModelInfer(deps: InferDeps) {
  return (message: Buffer, context: UnaryContext): Buffer | Promise<Buffer> => {
    const told = (answer: ScoreReply): Buffer => {
      context.sendHeaders({
        'azureml-model-deployment': answer.deployment,
        'x-ms-request-id': context.requestId,
        ...repeatHeaders(answer),
      });
      return answer.body;
    };
    const answer = infer(deps, 'oip_grpc', message, context);
    return answer instanceof Promise ? answer.then(told) : told(answer);
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
