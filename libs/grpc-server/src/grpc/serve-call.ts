import { status } from '@grpc/grpc-js';
import type { RequestHead } from '../http2/request-head.ts';
import type { Stream } from '../http2/stream.ts';
import { statusWith } from './call-status.ts';
import { Call, type CallSettings } from './call.ts';
import type { Method } from './method.ts';
import { DuplexCall, ReadableCall, WritableCall } from './streaming-calls.ts';
import { parseTimeout } from './timeout.ts';
import { UnaryCall } from './unary-call.ts';

/** `application/grpc`, with or without the name of a codec: which one it is, is the method's affair. */
const grpcContent = /^application\/grpc(?:[+;]|$)/i;
const grpcType = ['content-type', 'application/grpc'] as const;

/** Takes a request to its method, or says why not. */
export function serveCall(
  stream: Stream,
  head: RequestHead,
  tooLarge: boolean,
  methods: ReadonlyMap<string, Method>,
  settings: CallSettings,
): void {
  if (head.method !== 'POST') {
    stream.refuse(405, [['allow', 'POST'], grpcType, ['grpc-status', String(status.UNIMPLEMENTED)]]);
    return;
  }
  if (!grpcContent.test(head.contentType)) {
    stream.refuse(415, [
      ['accept-post', 'application/grpc'],
      ['grpc-status', String(status.UNKNOWN)],
    ]);
    return;
  }
  if (tooLarge) {
    stream.finish(statusWith(status.RESOURCE_EXHAUSTED, "the request's metadata is larger than this server takes"));
    return;
  }
  const method = methods.get(head.path);
  if (method === undefined) {
    const path = head.path.slice(0, 200);
    stream.finish(statusWith(status.UNIMPLEMENTED, `The server does not implement the method ${path}`));
    return;
  }
  const call = new Call(stream, head, method, settings);
  if (head.timeout !== '' && !limited(call, head.timeout)) return;
  stream.sink = call;
  start(call, method);
}

/** False when the call is over before it began. */
function limited(call: Call, timeout: string): boolean {
  const timeoutMs = parseTimeout(timeout);
  if (timeoutMs === undefined) {
    const shown = timeout.slice(0, 40);
    call.finish(
      statusWith(status.INTERNAL, `grpc-timeout ${shown} is malformed: up to 8 digits and one of H M S m u n`),
    );
    return false;
  }
  if (timeoutMs === 0) {
    call.finish(statusWith(status.DEADLINE_EXCEEDED, 'Deadline exceeded'));
    return false;
  }
  call.limit(timeoutMs);
  return true;
}

function start(call: Call, method: Method): void {
  if (method.requestStream) {
    const consumer = method.responseStream ? new DuplexCall(call) : new ReadableCall(call);
    call.consumer = consumer;
    consumer.start();
  } else call.consumer = method.responseStream ? new WritableCall(call) : new UnaryCall(call);
}
