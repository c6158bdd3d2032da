import { isEndpointName } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { Route } from '../domain/routes.ts';
import { bearerKey } from '../domain/request-headers.ts';
import type { Exchange } from '../exchange.ts';
import type { EndpointDirectory, EndpointEntry, EndpointGate } from '../ports.ts';
import type { RequestPlan } from './request-plan.ts';

export interface AdmitDeps {
  directory: EndpointDirectory;
  gate: EndpointGate;
}

/**
 * Identifies the endpoint and checks the key, in this order: an unknown endpoint is 404, a missing or wrong key for a
 * known one 401. Paths that name no endpoint need no key here; what they show is the platform's or checked later.
 */
export function admit({ directory, gate }: AdmitDeps, exchange: Exchange, plan: RequestPlan): void {
  const { route } = plan;
  const name = route.endpoint ?? route.model;
  if (name === undefined) return;
  const endpoint = isEndpointName(name) ? directory.find(name) : undefined;
  if (endpoint === undefined) {
    const shown = isEndpointName(name) ? ` '${name}'` : ' of that name';
    throw new PlatformError('not_found', 'ENDPOINT_NOT_FOUND', `there is no endpoint${shown}`);
  }
  exchange.endpoint = endpoint;
  if (!gate.opens(endpoint.name, required(plan.key, exchange), plan)) {
    throw new PlatformError(
      'unauthenticated',
      'KEY_INVALID',
      `the key does not open endpoint '${endpoint.name}'; \`mooring online-endpoint get-credentials\` shows its keys`,
    );
  }
  checkModel(endpoint, route);
}

/** The caller's key; a missing or malformed one is `unauthenticated`. */
function required(key: string | undefined, { head }: Exchange): string {
  if (key !== undefined) return key;
  const missing = head.headers['authorization'] === undefined;
  throw new PlatformError(
    'unauthenticated',
    missing ? 'KEY_MISSING' : 'KEY_MALFORMED',
    "send the endpoint's key as `Authorization: Bearer <key>`; `mooring online-endpoint get-credentials` shows it",
  );
}

/** Every endpoint that the caller's key opens; for the calls that name none. */
export function openedEndpoints({ directory, gate }: AdmitDeps, exchange: Exchange): EndpointEntry[] {
  if (exchange.endpoint !== undefined) return [exchange.endpoint];
  const key = required(bearerKey(exchange.head.headers), exchange);
  const opened = [...directory.all()].filter(({ name }) => gate.opens(name, key));
  if (opened.length > 0) return opened;
  throw new PlatformError('unauthenticated', 'KEY_INVALID', 'the key does not open any endpoint');
}

/** Below an endpoint, a model name must be the endpoint's or that of a model it serves. */
function checkModel(endpoint: EndpointEntry, { model }: Route): void {
  if (model === undefined || model.toLowerCase() === endpoint.name.toLowerCase()) return;
  if (endpoint.deployments.some((deployment) => deployment.model?.toLowerCase() === model.toLowerCase())) return;
  throw new PlatformError(
    'not_found',
    'MODEL_NOT_FOUND',
    `endpoint '${endpoint.name}' serves no model of that name; '${endpoint.name}' itself is always one`,
  );
}
