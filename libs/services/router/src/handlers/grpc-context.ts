import { randomUUID } from 'node:crypto';
import type { handleUnaryCall, Metadata } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { isRequestId } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { statusOf } from '@mooring/rpc';
import type { ScoreReply } from '@mooring/scoring-stream';
import { decisionHeader, decisionText, explainHeader, wantsDecision } from '@mooring/telemetry';

/** What a gRPC caller says beside the message. */
export interface GrpcContext {
  /** As sent: `Bearer <key>`; empty when absent. */
  authorization: string;
  /** Deployment named in `azureml-model-deployment`; empty when absent. */
  pin: string;
  requestId: string;
  traceparent: string;
  /** Milliseconds left when the call came in; 0 = none. */
  deadlineMs: number;
  /** As sent in `idempotency-key`, several where it comes several times; undefined when absent. */
  idempotencyKey?: string | readonly string[] | undefined;
  /** The caller wants to be told how its request was decided. */
  explain: boolean;
  /** Told of the router's answer, failures included. */
  decided?: (answer: ScoreReply) => void;
  /** Aborts when the caller is gone. */
  signal: AbortSignal;
}

export interface UnaryContext extends GrpcContext {
  /** Sends headers of the answer; once at most. */
  sendHeaders(headers: Readonly<Record<string, string>>): void;
}

const traceparentRule = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
const deadlineMaxMs = 2 ** 31 - 1;

export function readContext(metadata: Metadata, deadline: Date | number, signal: AbortSignal): GrpcContext {
  const requestId = first(metadata, 'x-ms-client-request-id') || first(metadata, 'x-request-id');
  const traceparent = first(metadata, 'traceparent');
  const leftMs = Number(deadline) - Date.now();
  return {
    authorization: first(metadata, 'authorization'),
    pin: first(metadata, 'azureml-model-deployment'),
    // One that is not well formed is no reason to refuse a request; it gets an id of ours.
    requestId: isRequestId(requestId) ? requestId : randomUUID(),
    traceparent: traceparentRule.test(traceparent) ? traceparent : '',
    deadlineMs: Number.isFinite(leftMs) ? Math.min(Math.max(1, Math.ceil(leftMs)), deadlineMaxMs) : 0,
    idempotencyKey: textsOf(metadata, 'idempotency-key'),
    explain: wantsDecision(textOf(metadata, explainHeader)),
    signal,
  };
}

function tooLate(): PlatformError {
  return new PlatformError('deadline_exceeded', 'DEADLINE_EXCEEDED', "the caller's deadline had passed on arrival");
}

function first(metadata: Metadata, name: string): string {
  return textOf(metadata, name) ?? '';
}

function textsOf(metadata: Metadata, name: string): readonly string[] | undefined {
  const values = metadata.get(name);
  return values.length === 0 ? undefined : values.map(String);
}

function textOf(metadata: Metadata, name: string): string | undefined {
  const value = metadata.get(name)[0];
  return typeof value === 'string' ? value : undefined;
}

/** A handler from message bytes to message bytes. What it throws becomes the call's status, never a crash. */
export function rawUnary(
  log: Logger,
  metadataOf: (headers: Readonly<Record<string, string>>) => Metadata,
  handler: (message: Buffer, context: UnaryContext) => Promise<Buffer> | Buffer,
): handleUnaryCall<Buffer, Buffer> {
  return (call, reply) => {
    const gone = new AbortController();
    call.on('cancelled', () => gone.abort(new PlatformError('cancelled', 'CALLER_GONE', 'the caller is gone')));
    const context = readContext(call.metadata, call.getDeadline(), gone.signal);
    let decision = '';
    const decided = (answer: ScoreReply): void => void (decision = context.explain ? decisionText(answer) : '');
    const sendHeaders = (headers: Readonly<Record<string, string>>): void =>
      call.sendMetadata(metadataOf(decision === '' ? headers : { ...headers, [decisionHeader]: decision }));
    const failed = (thrown: unknown): void => {
      const error = PlatformError.from(thrown);
      if (error.code === 'internal') log.error({ err: error.cause ?? error, reason: error.reason }, 'call failed');
      reply(failedStatus(error, context.requestId, decision));
    };
    try {
      if (Number(call.getDeadline()) <= Date.now()) throw tooLate();
      const answer = handler(call.request, { ...context, decided, sendHeaders });
      if (answer instanceof Promise) void answer.then((body) => reply(null, body)).catch(failed);
      else reply(null, answer);
    } catch (thrown) {
      failed(thrown);
    }
  };
}

/** What the caller needs to have it explained comes with a failure as well. */
function failedStatus(error: PlatformError, requestId: string, decision: string): ReturnType<typeof statusOf> {
  const status = statusOf(error);
  status.metadata.set('x-ms-request-id', requestId);
  if (decision !== '') status.metadata.set(decisionHeader, decision);
  return status;
}
