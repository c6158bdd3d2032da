import { isEndpointName } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { isOfJobs, type Route } from '../domain/routes.ts';
import type { Exchange } from '../exchange.ts';
import type { EndpointDirectory, EndpointEntry, EndpointGate } from '../ports.ts';
import type { RequestPlan } from './request-plan.ts';

export interface AdmitDeps {
  /** Online endpoints. */
  directory: EndpointDirectory;
  batchEndpoints: EndpointDirectory;
  gate: EndpointGate;
}

/**
 * Identifies the endpoint and checks the key, in this order: an unknown endpoint is 404, a missing or wrong key for a
 * known one 401. Paths that name no endpoint need no key here; what they show is the platform's or checked later.
 */
export function admit(deps: AdmitDeps, exchange: Exchange, plan: RequestPlan): void {
  const { route } = plan;
  const name = route.endpoint ?? route.model;
  if (name === undefined) return;
  const directory = isOfJobs(route) ? deps.batchEndpoints : deps.directory;
  const endpoint = isEndpointName(name) ? directory.find(name) : undefined;
  if (endpoint === undefined) throw noEndpoint(deps, name, route);
  exchange.endpoint = endpoint;
  if (!deps.gate.opens(endpoint.name, required(plan, exchange), plan)) {
    const message = `the key does not open endpoint '${endpoint.name}'; ${whereKeysAre(route)} shows its keys`;
    throw new PlatformError('unauthenticated', 'KEY_INVALID', message);
  }
  checkModel(endpoint, route);
}

function noEndpoint({ directory, batchEndpoints }: AdmitDeps, name: string, route: Route): PlatformError {
  const message = (): string => {
    if (!isEndpointName(name)) return 'there is no endpoint of that name';
    const other = (isOfJobs(route) ? directory : batchEndpoints).find(name)?.name;
    if (other === undefined) return `there is no endpoint '${name}'`;
    return isOfJobs(route)
      ? `'${other}' is an online endpoint, which takes no jobs; it is called at /endpoints/${other}/score`
      : `'${other}' is a batch endpoint; jobs are sent to /endpoints/${other}/jobs`;
  };
  return new PlatformError('not_found', 'ENDPOINT_NOT_FOUND', message());
}

function whereKeysAre(route: Route): string {
  return `\`mooring ${isOfJobs(route) ? 'batch' : 'online'}-endpoint get-credentials\``;
}

/** The caller's key; a missing or malformed one is `unauthenticated`. */
function required({ key, route }: Pick<RequestPlan, 'key' | 'route'>, { head }: Exchange): string {
  if (key !== undefined) return key;
  const missing = head.headers['authorization'] === undefined;
  throw new PlatformError(
    'unauthenticated',
    missing ? 'KEY_MISSING' : 'KEY_MALFORMED',
    `send the endpoint's key as \`Authorization: Bearer <key>\`; ${whereKeysAre(route)} shows it`,
  );
}

/** Every endpoint that the caller's key opens; for the calls that name none. */
export function openedEndpoints(
  { directory, gate }: AdmitDeps,
  exchange: Exchange,
  plan: RequestPlan,
): EndpointEntry[] {
  if (exchange.endpoint !== undefined) return [exchange.endpoint];
  const key = required(plan, exchange);
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
