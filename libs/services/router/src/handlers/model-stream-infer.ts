import type { ServerDuplexStream } from '@grpc/grpc-js';
import { ModelInferResponse, ModelStreamInferResponse } from '@mooring/contracts/inference';
import { PlatformError } from '@mooring/errors';
import { statusOf } from '@mooring/rpc';
import { peekInferRequest, streamResponse, trueParameter } from '../domain/infer-peek.ts';
import { textParameter } from '../domain/infer-parameter.ts';
import { readContext, type GrpcContext } from './grpc-context.ts';
import { missingKey } from './infer-call.ts';
import { infer, type InferDeps } from './model-infer.ts';

export interface StreamDeps extends InferDeps {
  /** Requests of one stream that may be open. */
  inFlightMax: number;
  /** Aborts when this router stops: streams end as soon as what is open is answered. */
  stopping: AbortSignal;
}

const stoppingError = new PlatformError(
  'unavailable',
  'ROUTER_STOPPING',
  'this router stops; every request that has no answer was not started: open a new stream and send it again',
  { retryAfterMs: 500 },
);

/** Metadata belong to the whole stream, and a key to one request. */
const keyOfNoRequest = new PlatformError(
  'invalid_argument',
  'IDEMPOTENCY_KEY_INVALID',
  'a stream carries many requests: give each its own key in the request parameter idempotency_key, not in metadata',
);

/** Says in an answer that it is that of an earlier request; a header says so elsewhere. */
const replayedParameter = trueParameter('idempotency_replayed');

/**
 * Triton's dialect of the stream: a request that fails is answered inside the stream by `error_message` (and its id), and
 * the stream goes on. Answers come as they are done, not in the order of the requests; `id` tells them apart. Every
 * request has exactly one answer, which is therefore its final one and says so (`triton_final_response`): there is never
 * an empty final answer to ask for by `triton_enable_empty_final_response`.
 */
export function createModelStreamInfer(deps: StreamDeps) {
  return (stream: ServerDuplexStream<Buffer, Buffer>): void => {
    const gone = new AbortController();
    stream.on('cancelled', () => gone.abort(new PlatformError('cancelled', 'CALLER_GONE', 'the caller is gone')));
    stream.on('error', () => gone.abort(new PlatformError('cancelled', 'CALLER_GONE', 'the stream broke off')));
    const context = readContext(stream.metadata, stream.getDeadline(), gone.signal);
    if (context.authorization === '') {
      stream.emit('error', statusOf(missingKey()));
      return;
    }
    if (context.idempotencyKey !== undefined) {
      stream.emit('error', statusOf(keyOfNoRequest));
      return;
    }
    serve(deps, stream, context);
  };
}

function serve(deps: StreamDeps, stream: ServerDuplexStream<Buffer, Buffer>, context: GrpcContext): void {
  let open = 0;
  let ended = false;
  let over = false;
  let writable = true;
  const endsAtMs = context.deadlineMs === 0 ? Infinity : performance.now() + context.deadlineMs;
  /** Not read means not taken from the caller's send window: so the caller feels what is too much. */
  const balance = (): void => {
    if (over || context.signal.aborted) return;
    if (open < deps.inFlightMax && writable && !deps.stopping.aborted) stream.resume();
    else stream.pause();
    if (open > 0) return;
    if (ended) finish();
    else if (deps.stopping.aborted) finish(stoppingError);
  };
  const finish = (error?: PlatformError): void => {
    over = true;
    deps.stopping.removeEventListener('abort', balance);
    if (error) stream.emit('error', statusOf(error));
    else stream.end();
  };
  deps.stopping.addEventListener('abort', balance);
  context.signal.addEventListener('abort', () => deps.stopping.removeEventListener('abort', balance), { once: true });
  const serveOne = async (message: Buffer): Promise<void> => {
    const leftMs = endsAtMs === Infinity ? 0 : Math.max(1, Math.ceil(endsAtMs - performance.now()));
    const response = await answerOne(deps, message, { ...context, deadlineMs: leftMs });
    open -= 1;
    if (!context.signal.aborted) writable = stream.write(response);
    balance();
  };
  stream.on('data', (message: Buffer) => {
    open += 1;
    balance();
    void serveOne(message);
  });
  stream.on('drain', () => {
    writable = true;
    balance();
  });
  stream.on('end', () => {
    ended = true;
    balance();
  });
}

async function answerOne(deps: StreamDeps, message: Buffer, context: GrpcContext): Promise<Buffer> {
  try {
    const idempotencyKey = textParameter(message, 'idempotency_key');
    const { body, idempotency } = await infer(deps, 'oip_stream', message, { ...context, idempotencyKey });
    return streamResponse(idempotency === 'replayed' ? Buffer.concat([body, replayedParameter]) : body);
  } catch (thrown) {
    const error = PlatformError.from(thrown);
    const { id, modelName, modelVersion } = tryPeek(message);
    const inferResponse: ModelInferResponse = {
      ...ModelInferResponse.decode(Buffer.alloc(0)),
      id,
      modelName,
      modelVersion,
      parameters: refusalParameters(error),
    };
    const errorMessage = `[${error.reason}] ${error.message}`;
    return Buffer.from(ModelStreamInferResponse.encode({ errorMessage, inferResponse }).finish());
  }
}

/** Inside a stream there are no trailers of one's own: what these would say of a unary call. */
function refusalParameters(error: PlatformError): ModelInferResponse['parameters'] {
  const retryAfterMs = error.retryAfterToldMs;
  return {
    'mooring-reason': { parameterChoice: { $case: 'stringParam', value: error.reason } },
    ...(retryAfterMs === undefined
      ? {}
      : { 'retry-after-ms': { parameterChoice: { $case: 'int64Param', value: retryAfterMs } } }),
  };
}

/** The id of a request that may not even be one. */
function tryPeek(message: Buffer): ReturnType<typeof peekInferRequest> {
  try {
    return peekInferRequest(message);
  } catch {
    return { id: '', modelName: '', modelVersion: '' };
  }
}
