import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PlatformError } from '@mooring/errors';
import { errorXml } from '../domain/blob-xml.ts';
import { createBlobHandler } from '../handlers/blobs.ts';
import { sendError } from './send-error.ts';
import type { HttpServerDeps } from './server-deps.ts';
import { errorHeaders } from './arm-error.ts';
import { platformErrorOf } from './fastify-errors.ts';

/** Azure's words for what its clients look at. */
const blobCodes: Readonly<Record<string, string>> = {
  ARTIFACT_NOT_FOUND: 'BlobNotFound',
  BLOB_ALREADY_EXISTS: 'BlobAlreadyExists',
  BLOB_IMMUTABLE: 'BlobImmutable',
  MD5_MISMATCH: 'Md5Mismatch',
  INVALID_BLOCK_LIST: 'InvalidBlockList',
  INVALID_RANGE: 'InvalidRange',
  ARTIFACT_TOO_LARGE: 'RequestBodyTooLarge',
  INVALID_METADATA: 'InvalidMetadata',
  UPLOAD_NOT_SIGNED: 'AuthenticationFailed',
  UPLOAD_EXPIRED: 'AuthenticationFailed',
  UPLOAD_SIGNATURE: 'AuthenticationFailed',
  UPLOAD_ELSEWHERE: 'AuthorizationFailure',
};
const rangeStatus = 416;

/** `/blob/<container>/<path>`: bodies are streamed, whoever holds a signed address may come. */
export function registerBlobs(app: FastifyInstance, deps: HttpServerDeps): void {
  const { ports, settings, grants, authenticate, log } = deps;
  const handle = createBlobHandler(ports.store, settings);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, content, done) => done(null, content));
  app.setErrorHandler((thrown, request, reply) => {
    const error = platformErrorOf(thrown);
    return sendBlobError(error, request, reply, () => sendError(log, error, request, reply));
  });
  app.route({
    method: ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'],
    url: '/blob/*',
    config: { open: 'signed' },
    handler: async (request, reply) => {
      const { container, path } = placeOf((request.params as { '*'?: string })['*'] ?? '');
      const query = request.query as Record<string, unknown>;
      // Azure's clients may come with their own token instead of a signed address.
      if (query['sig'] === undefined && request.headers.authorization !== undefined) {
        request.principal = await authenticate(request.headers.authorization);
      } else await grants.check(query, container);
      const { method, headers } = request;
      const content = (request.body ?? request.raw) as Readable;
      const answer = await handle({ method, container, path, query, headers, content });
      void reply.code(answer.status).headers({ ...answer.headers });
      echoVersion(request, reply);
      return reply.send(answer.body);
    },
  });
}

/** Azure's SDK puts an account's host name before the container; there is one account. */
function placeOf(wildcard: string): { container: string; path: string } {
  const [first = '', ...rest] = wildcard.split('/');
  const [container = '', ...path] = /\.blob\./i.test(first) ? rest : [first, ...rest];
  return { container, path: path.join('/') };
}

/** Azure's clients read XML, ours reads what management says everywhere else. */
function sendBlobError(
  error: PlatformError,
  request: FastifyRequest,
  reply: FastifyReply,
  asJson: () => FastifyReply,
): FastifyReply {
  const code = blobCodes[error.reason] ?? error.reason;
  void reply.header('x-ms-error-code', code);
  echoVersion(request, reply);
  const wantsXml = /\bxml\b/i.test(request.headers.accept ?? '');
  const status = error.reason === 'INVALID_RANGE' ? rangeStatus : error.httpStatus;
  if (request.method === 'HEAD') return reply.code(status).headers(errorHeaders(error)).send();
  if (!wantsXml && error.reason !== 'INVALID_RANGE') return asJson();
  return reply.code(status).headers(errorHeaders(error)).type('application/xml').send(errorXml(code, error.message));
}

function echoVersion(request: FastifyRequest, reply: FastifyReply): void {
  const version = request.headers['x-ms-version'];
  if (typeof version === 'string' && /^[\w-]{1,40}$/.test(version)) void reply.header('x-ms-version', version);
}
