import { type Client as ChannelClient, type Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { MethodDefinition } from '@grpc/proto-loader';
import type { Scope } from '../scope.ts';

export const statusCodes = {
  StatusOK: status.OK,
  StatusCanceled: status.CANCELLED,
  StatusUnknown: status.UNKNOWN,
  StatusInvalidArgument: status.INVALID_ARGUMENT,
  StatusDeadlineExceeded: status.DEADLINE_EXCEEDED,
  StatusNotFound: status.NOT_FOUND,
  StatusAlreadyExists: status.ALREADY_EXISTS,
  StatusPermissionDenied: status.PERMISSION_DENIED,
  StatusResourceExhausted: status.RESOURCE_EXHAUSTED,
  StatusFailedPrecondition: status.FAILED_PRECONDITION,
  StatusAborted: status.ABORTED,
  StatusOutOfRange: status.OUT_OF_RANGE,
  StatusUnimplemented: status.UNIMPLEMENTED,
  StatusInternal: status.INTERNAL,
  StatusUnavailable: status.UNAVAILABLE,
  StatusDataLoss: status.DATA_LOSS,
  StatusUnauthenticated: status.UNAUTHENTICATED,
} as const;

/** k6's answer to a call; a call that failed is one too. */
export interface GrpcReply {
  status: number;
  message: object | null;
  headers: Record<string, string[]>;
  trailers: Record<string, string[]>;
  error: { code: number; details: string[]; message: string } | null;
}

export interface UnaryCall {
  channel: ChannelClient;
  method: MethodDefinition<object, object>;
  message: object;
  metadata: Metadata;
  timeoutMs: number;
  signal: AbortSignal;
}

/** Never rejects: a failed call is a reply with its status. */
export function unaryCall({ channel, method, message, metadata, timeoutMs, signal }: UnaryCall): Promise<GrpcReply> {
  return new Promise((resolve) => {
    let headers: Record<string, string[]> = {};
    let trailers: Record<string, string[]> = {};
    let ended: { error: ServiceError | null; value: object | undefined } | undefined;
    const call = channel.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      message,
      metadata,
      { deadline: Date.now() + timeoutMs },
      (error, value) => (ended = { error, value }),
    );
    const cancel = (): void => call.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    call.on('metadata', (received: Metadata) => (headers = toRecord(received)));
    // The status comes after the callback, and with it the trailers.
    call.on('status', (final) => {
      signal.removeEventListener('abort', cancel);
      trailers = toRecord(final.metadata);
      const failed = final.code !== status.OK;
      resolve({
        status: final.code,
        message: failed ? null : (ended?.value ?? null),
        headers,
        trailers,
        error: failed ? { code: final.code, details: [], message: final.details } : null,
      });
    });
  });
}

export function recordCall(
  scope: Scope,
  address: string,
  path: string,
  reply: GrpcReply,
  durationMs: number,
  own: Readonly<Record<string, string>>,
): void {
  const [, service = '', method = ''] = path.split('/');
  scope.test.metrics.addByName('grpc_req_duration', durationMs, {
    ...scope.tags,
    group: scope.group,
    name: path,
    service,
    method,
    url: `${address}${path}`,
    status: String(reply.status),
    ...own,
  });
}

function toRecord(metadata: Metadata): Record<string, string[]> {
  return Object.fromEntries(
    Object.keys(metadata.getMap()).map((key) => [
      key,
      metadata.get(key).map((value) => (typeof value === 'string' ? value : value.toString('base64'))),
    ]),
  );
}
