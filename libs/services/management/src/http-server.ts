import { randomUUID } from 'node:crypto';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { PlatformError } from '@mooring/errors';
import { platformErrorOf } from './http/fastify-errors.ts';
import { rawRefusal } from './http/raw-refusal.ts';
import { registerBlobs } from './http/register-blobs.ts';
import { registerControlPlane } from './http/register-control-plane.ts';
import { registerOpenRoutes } from './http/register-open-routes.ts';
import { pathOf, sendError } from './http/send-error.ts';
import type { HttpServerDeps } from './http/server-deps.ts';

const headersTimeoutMs = 10_000;
/** Longest silence of a connection. */
const silenceMs = 120_000;
/** Longest time that one whole request may take to arrive: a large file over a slow line. */
const requestTimeoutMs = 3_600_000;
const connectionsMax = 2_000;
const headersMax = 200;
/** Operation ids and blob paths are long. */
const parameterCharactersMax = 4_096;
const idForm = /^[\w-]{1,100}$/;

/** The control plane's HTTP/1.1 server, not yet listening. */
export function createHttpServer(deps: HttpServerDeps): FastifyInstance {
  const app = fastify({
    logger: false,
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    connectionTimeout: silenceMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: 65_000,
    bodyLimit: deps.settings.bodyBytesMax,
    http: { maxHeaderSize: 16 * 1024, headersTimeout: headersTimeoutMs, connectionsCheckingInterval: 1_000 },
    routerOptions: {
      caseSensitive: false,
      ignoreTrailingSlash: true,
      maxParamLength: parameterCharactersMax,
    },
    frameworkErrors: (_error, request, reply) => sendError(deps.log, badUrl(), request, reply),
    clientErrorHandler: (error, socket) => {
      if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
      else socket.end(rawRefusal(protocolError(error), randomUUID()).text, () => socket.destroy());
    },
  });
  app.server.maxConnections = connectionsMax;
  app.server.maxHeadersCount = headersMax;
  app.decorateRequest('principal', '');
  app.decorateRequest('startedAt', 0);
  addHooks(app, deps);
  app.setErrorHandler((thrown, request, reply) => sendError(deps.log, platformErrorOf(thrown), request, reply));
  app.setNotFoundHandler(() => {
    throw new PlatformError('not_found', 'PATH_NOT_FOUND', 'there is nothing at this path');
  });
  registerOpenRoutes(app, deps);
  void app.register((scope) => registerControlPlane(scope, deps));
  void app.register((scope) => registerBlobs(scope, deps));
  return app;
}

function addHooks(app: FastifyInstance, { ports, authenticate, log, accepting, leaving }: HttpServerDeps): void {
  app.addHook('onRequest', async (request, reply) => {
    request.startedAt = performance.now();
    addIds(request, reply);
    const { open, action } = request.routeOptions.config;
    if (open === 'everybody') return;
    if (!accepting()) throw stopping();
    if (open === 'signed') return;
    request.principal = await authenticate(request.headers.authorization);
    // A change that cannot be audited must not begin; nor could it be stored then.
    if (action !== undefined && !ports.audit.available()) throw stateStoreAway();
  });
  app.addHook('onSend', async (request, reply, payload) => {
    if (reply.raw.headersSent) return payload;
    const { action } = request.routeOptions.config;
    if (leaving()) void reply.header('connection', 'close');
    if (action !== undefined && request.principal !== '') {
      await ports.audit.record({
        time: new Date().toISOString(),
        principal: request.principal,
        action,
        resource: resourceOf(pathOf(request), action),
        outcome: outcomeOf(reply.statusCode),
        status: reply.statusCode,
        requestId: request.id,
      });
    }
    return payload;
  });
  app.addHook('onResponse', (request, reply, done) => {
    const { url, config } = request.routeOptions;
    const line = {
      requestId: request.id,
      method: request.method,
      route: url ?? '(none)',
      status: reply.statusCode,
      ms: Math.round(performance.now() - request.startedAt),
      ...(request.principal === '' ? {} : { principal: request.principal }),
    };
    // Probes and polls would drown the rest.
    if (config.action !== undefined || reply.statusCode >= 400) log.info(line, 'answered');
    else log.debug(line, 'answered');
    done();
  });
}

/** The path of what an action like `listKeys/action` was done to. */
function resourceOf(path: string, action: string): string {
  return action.endsWith('/action') ? path.replace(/\/[^/]*\/?$/, '') : path;
}

function outcomeOf(status: number): 'accepted' | 'refused' | 'failed' {
  if (status < 400) return 'accepted';
  return status < 500 || status === 501 ? 'refused' : 'failed';
}

function addIds(request: FastifyRequest, reply: FastifyReply): void {
  const given = (name: string): string | undefined => {
    const value = request.headers[name];
    return typeof value === 'string' && idForm.test(value) ? value : undefined;
  };
  void reply.headers({
    'x-ms-request-id': request.id,
    'x-ms-correlation-request-id': given('x-ms-correlation-request-id') ?? request.id,
    'x-content-type-options': 'nosniff',
  });
  const client = given('x-ms-client-request-id');
  if (client !== undefined) void reply.header('x-ms-client-request-id', client);
}

function badUrl(): PlatformError {
  return new PlatformError(
    'invalid_argument',
    'BAD_URL',
    'the path is not well formed: its percent-encoding is broken',
  );
}

function protocolError({ code }: NodeJS.ErrnoException): PlatformError {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new PlatformError('headers_too_large', 'HEADERS_TOO_LARGE', 'the headers are larger than 16 KiB');
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new PlatformError('scoring_timeout', 'REQUEST_TIMEOUT', 'the request did not arrive in time');
  }
  return new PlatformError('invalid_argument', 'BAD_HTTP', 'this is not a well-formed HTTP/1.1 request');
}

function stopping(): PlatformError {
  const message = 'management is stopping; nothing was changed. Try again shortly';
  return new PlatformError('unavailable', 'STOPPING', message, { retryAfterMs: 1_000 });
}

function stateStoreAway(): PlatformError {
  const message = 'the state store (NATS) cannot be reached; nothing was changed. Try again shortly';
  return new PlatformError('unavailable', 'STATE_STORE_UNAVAILABLE', message, { retryAfterMs: 1_000 });
}
