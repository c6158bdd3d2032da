import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { PlatformError } from '@mooring/errors';
import { armError, errorHeaders } from './arm-error.ts';

/** An error as ARM's envelope. One that nobody foresaw goes to the log, and only there. */
export function sendError(
  log: Logger,
  error: PlatformError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  if (error.code === 'internal') log.error({ err: error.cause ?? error, requestId: request.id }, 'a request failed');
  return reply
    .code(error.httpStatus)
    .headers({ 'x-ms-request-id': request.id, ...errorHeaders(error) })
    .type('application/json')
    .send(armError(error, request.id));
}

/** Without the query, which may hold a signature, and cut to what an event may hold. */
export function pathOf(request: FastifyRequest): string {
  return (request.url.split('?')[0] ?? '').slice(0, 1_000);
}
