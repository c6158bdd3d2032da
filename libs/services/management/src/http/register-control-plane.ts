import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import { PlatformError } from '@mooring/errors';
import { notYet } from '../domain/refusal.ts';
import { pathOf } from './send-error.ts';
import type { HttpServerDeps } from './server-deps.ts';
import { createRoutes, laterPaths, type Route } from '../routes.ts';
import { baseUrlOf } from './base-url.ts';
import type { Answer, Call } from './call.ts';
import { readJsonBody } from './json-body.ts';

const allMethods: readonly HTTPMethods[] = ['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS'];

/** ARM's paths: JSON in, JSON out, every one behind the management token. */
export function registerControlPlane(app: FastifyInstance, deps: HttpServerDeps): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
    try {
      done(null, readBody(request, body as Buffer));
    } catch (thrown) {
      done(thrown as PlatformError);
    }
  });
  const routes = createRoutes({ ports: deps.ports, grants: deps.grants, uuid: randomUUID });
  for (const { method, path, handle, action, answersWithinMs } of routes) {
    app.route({
      method,
      url: path,
      config: action === undefined ? {} : { action },
      handler: async (request, reply) => {
        const { socket } = request.raw;
        const silenceMs = socket.timeout ?? 0;
        if (answersWithinMs !== undefined) socket.setTimeout(answersWithinMs);
        try {
          return send(reply, await handle(callOf(request, reply, deps.ownUrl())));
        } finally {
          if (answersWithinMs !== undefined) socket.setTimeout(silenceMs);
        }
      },
    });
  }
  refuseOtherMethods(app, routes);
  for (const [path, capability] of Object.entries(laterPaths)) {
    const refuse = (): never => {
      throw notYet(capability);
    };
    for (const url of [path, `${path}/*`]) app.route({ method: [...allMethods], url, handler: refuse });
  }
}

function readBody(request: FastifyRequest, body: Buffer): unknown {
  const type = request.headers['content-type'];
  if (body.byteLength > 0 && type !== undefined && !/^[\w.+-]+\/(?:[\w.+-]*\+)?json\b/i.test(type)) {
    throw new PlatformError('unsupported_media', 'CONTENT_TYPE', 'the body must be application/json');
  }
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new PlatformError('unsupported_media', 'CONTENT_ENCODING', 'the body must be sent without compression');
  }
  return readJsonBody(body);
}

/** A path that is there, but not for this method. */
function refuseOtherMethods(app: FastifyInstance, routes: readonly Route[]): void {
  for (const [path, known] of Map.groupBy(routes, (route) => route.path)) {
    const allow = known.map(({ method }) => method);
    app.route({
      method: allMethods.filter((method) => !allow.includes(method as Route['method'])),
      url: path,
      handler: (_request, reply) => {
        void reply.header('allow', allow.join(', '));
        const message = `this path takes ${allow.join(', ')} only`;
        throw new PlatformError('method_not_allowed', 'METHOD_NOT_ALLOWED', message);
      },
    });
  }
}

function callOf(request: FastifyRequest, { raw }: FastifyReply, ownUrl: string): Call {
  const gone = new AbortController();
  raw.once('close', () => gone.abort());
  const params = request.params as Record<string, string>;
  const { subscription = '', resourceGroup = '', workspace = '' } = params;
  return {
    params,
    query: request.query as Record<string, unknown>,
    headers: request.headers,
    body: request.body,
    principal: request.principal,
    baseUrl: baseUrlOf(request.headers.host, ownUrl),
    path: pathOf(request),
    workspace: { subscription, resourceGroup, workspace },
    signal: gone.signal,
  };
}

function send(reply: FastifyReply, { status, body, contentType, headers }: Answer): FastifyReply {
  void reply.code(status).headers({ ...headers });
  if (body === undefined) return reply.send();
  return reply.type(contentType ?? 'application/json').send(body);
}
