import { Operation } from '@mooring/contracts/scoring';
import { PlatformError } from '@mooring/errors';
import { clientRequestId, traceparentOf } from '../domain/request-headers.ts';
import { endpointOfHost, parseTarget } from '../domain/path.ts';
import { allowed, matchRoute, type Route } from '../domain/routes.ts';
import type { Exchange } from '../exchange.ts';
import type { Answer } from '../http/answer.ts';
import { metrics, type Tracing } from '@mooring/telemetry';
import { admit } from './admit.ts';
import { forward } from './forward.ts';
import {
  endpointReady,
  live,
  ready,
  repositoryIndex,
  serverMetadata,
  statistics,
  type InfoDeps,
} from './service-info.ts';

export interface AnswerDeps extends InfoDeps {
  domain: string | undefined;
  tracing: Tracing;
}

/** The answer to one request. Throws PlatformError; the server puts it in the words of `exchange.dialect`. */
export async function answerRequest(deps: AnswerDeps, exchange: Exchange): Promise<Answer> {
  const { request } = exchange;
  const url = request.url ?? '/';
  const hostEndpoint = endpointOfHost(request.headers.host, deps.domain);
  // Known before the path is taken apart, so that a broken OIP path gets an OIP error.
  if (/^\/(endpoints\/[^/]*\/)?v2(\/|$|\?)/.test(url)) exchange.dialect = 'oip';
  exchange.clientRequestId = clientRequestId(request.headers);
  const target = parseTarget(url);
  exchange.query = target.query;
  const route = matchRoute(target.segments, hostEndpoint);
  exchange.route = route;
  exchange.dialect = route.dialect;
  exchange.span = deps.tracing.span('gateway', traceparentOf(request.headers), {
    kind: 'server',
    startMs: exchange.beganAt.getTime(),
    attributes: { 'http.request.method': request.method ?? '', 'http.route': route.template, 'url.scheme': 'http' },
  });
  admit(deps, exchange, route);
  if (exchange.endpoint !== undefined) {
    exchange.countedInFlight = true;
    metrics.inFlight.inc({ endpoint: exchange.endpoint.name, deployment: '' });
  }
  exchange.marks.authenticated = performance.now();
  if (route.action === 'unknown') throw noRoute();
  if (request.method === 'OPTIONS') return options(route);
  if (!route.methods.includes(request.method ?? '')) throw wrongMethod(route);
  return act(deps, exchange, route);
}

function act(deps: AnswerDeps, exchange: Exchange, route: Route): Answer | Promise<Answer> {
  switch (route.action) {
    case 'live':
      return live();
    case 'ready':
      return ready(deps);
    case 'server-metadata':
      return serverMetadata();
    case 'endpoint-ready':
      return endpointReady(deps, exchange);
    case 'score':
      return forward(deps, exchange, Operation.OPERATION_SCORE);
    case 'swagger':
      return forward(deps, exchange, Operation.OPERATION_SWAGGER);
    case 'infer':
      return forward(deps, exchange, Operation.OPERATION_INFER);
    case 'model-metadata':
      return forward(deps, exchange, Operation.OPERATION_METADATA);
    case 'model-ready':
      return forward(deps, exchange, Operation.OPERATION_READY);
    case 'model-config':
      return forward(deps, exchange, Operation.OPERATION_CONFIG);
    case 'statistics':
      return statistics(deps, exchange);
    case 'repository-index':
      return repositoryIndex(deps, exchange);
    case 'later':
      throw later(route);
    case 'unknown':
      throw noRoute();
  }
}

function noRoute(): PlatformError {
  return new PlatformError(
    'not_found',
    'ROUTE_NOT_FOUND',
    'there is nothing at this path; an endpoint is called at /endpoints/{name}/score or /v2/models/{name}/infer',
  );
}

function later({ capability }: Route): PlatformError {
  return new PlatformError('unimplemented', 'LATER_CAPABILITY', `not available yet: ${capability}`);
}

function wrongMethod(route: Route): PlatformError {
  return new PlatformError('method_not_allowed', 'METHOD_NOT_ALLOWED', `this path takes ${allowed(route)}`);
}

/** As the inference server answers it: 200 and nothing; no CORS (azureml-contract 4.4, 5.2). */
function options(route: Route): Answer {
  return { status: 200, headers: ['allow', allowed(route)], body: Buffer.alloc(0) };
}
