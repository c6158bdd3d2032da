import { Operation } from '@mooring/contracts/scoring';
import { PlatformError } from '@mooring/errors';
import { allowed, type Route } from '../domain/routes.ts';
import { askedText } from '../access-line.ts';
import type { Exchange } from '../exchange.ts';
import type { Answer } from '../http/answer.ts';
import type { Tracing } from '@mooring/telemetry';
import type { Meters } from '../meters.ts';
import { admit } from './admit.ts';
import { forward } from './forward.ts';
import { job, jobs, type JobsDeps } from './jobs.ts';
import { dialectOf, type RequestPlan, type RequestPlanner } from './request-plan.ts';
import {
  endpointReady,
  live,
  ready,
  repositoryIndex,
  serverMetadata,
  statistics,
  type InfoDeps,
} from './service-info.ts';

export interface AnswerDeps extends InfoDeps, JobsDeps {
  planner: RequestPlanner;
  meters: Meters;
  tracing: Tracing;
}

/** The answer to one request. Throws PlatformError; the server puts it in the words of `exchange.dialect`. */
export function answerRequest(deps: AnswerDeps, exchange: Exchange): Answer | Promise<Answer> {
  const { head } = exchange;
  const plan = planned(deps.planner, exchange);
  const { route } = plan;
  exchange.clientRequestId = plan.clientRequestId;
  exchange.explain = plan.explain;
  exchange.query = plan.query;
  exchange.route = route;
  exchange.asked = plan.asked;
  exchange.dialect = route.dialect;
  if (deps.tracing.enabled) beginSpan(deps.tracing, exchange, plan);
  admit(deps, exchange, plan);
  if (exchange.endpoint !== undefined) {
    exchange.meters = deps.meters.of(exchange.endpoint.name);
    exchange.meters.inFlight.value += 1;
  }
  exchange.marks.authenticated = performance.now();
  if (route.action === 'unknown') throw noRoute();
  if (head.method === 'OPTIONS') return options(route);
  if (!route.methods.includes(head.method)) throw wrongMethod(route);
  return act(deps, exchange, plan);
}

function planned(planner: RequestPlanner, exchange: Exchange): RequestPlan {
  try {
    return planner.plan(exchange.head);
  } catch (thrown) {
    exchange.dialect = dialectOf(exchange.head.target);
    exchange.asked = askedText(exchange.head.method, undefined);
    throw thrown;
  }
}

function beginSpan(tracing: Tracing, exchange: Exchange, { route, traceparent }: RequestPlan): void {
  exchange.span = tracing.span('gateway', traceparent, {
    kind: 'server',
    startMs: exchange.beganAtMs,
    attributes: {
      'http.request.method': exchange.head.method,
      'http.route': route.template,
      'url.scheme': 'http',
    },
  });
}

function act(deps: AnswerDeps, exchange: Exchange, plan: RequestPlan): Answer | Promise<Answer> {
  const { route } = plan;
  switch (route.action) {
    case 'live':
      return live();
    case 'ready':
      return ready(deps);
    case 'server-metadata':
      return serverMetadata();
    case 'endpoint-ready':
      return endpointReady(deps, exchange, plan);
    case 'score':
      return forward(deps, exchange, plan, Operation.OPERATION_SCORE);
    case 'swagger':
      return forward(deps, exchange, plan, Operation.OPERATION_SWAGGER);
    case 'infer':
      return forward(deps, exchange, plan, Operation.OPERATION_INFER);
    case 'model-metadata':
      return forward(deps, exchange, plan, Operation.OPERATION_METADATA);
    case 'model-ready':
      return forward(deps, exchange, plan, Operation.OPERATION_READY);
    case 'model-config':
      return forward(deps, exchange, plan, Operation.OPERATION_CONFIG);
    case 'statistics':
      return statistics(deps, exchange, plan);
    case 'repository-index':
      return repositoryIndex(deps, exchange, plan);
    case 'jobs':
      return jobs(deps, exchange, plan);
    case 'job':
      return job(deps, exchange, plan);
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
