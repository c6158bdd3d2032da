import { armFromResource, specFromArm } from '@mooring/azureml/arm';
import { notFound, refusal, type ResourceKind, type SpecByKind, type Stored, type SpecProblem } from '@mooring/domain';
import { inArmPaths, nameProblems } from '../domain/refusal.ts';
import { apiVersionOf, ok, type Answer, type Call, type Handler } from '../http/call.ts';
import { readGuard } from '../http/if-match.ts';
import type { ManagementPorts } from '../ports.ts';

/** What a self-hosted workspace answers as its region. */
export const location = 'local';

/**
 * Looks at what the body alone cannot tell: references, uploaded files, scripts. May give back another spec
 * (references resolved); adds to `problems`.
 */
export type FurtherCheck<K extends ResourceKind> = (
  spec: SpecByKind[K],
  problems: SpecProblem[],
) => Promise<SpecByKind[K]>;

/** A resource as a body. */
export function bodyOf(stored: Stored, call: Call, ports: ManagementPorts): Record<string, unknown> {
  return armFromResource(stored, { workspace: call.workspace, location, gatewayUrl: ports.state.gatewayUrl() });
}

/** The key of names in a path; names that nothing can be called are of nothing that exists. */
export function keyOf(kind: ResourceKind, names: readonly string[]): string {
  if (nameProblems(kind, names).length > 0) throw notFound(kind, names.join('/'));
  return names.join('/');
}

export function createGet<K extends ResourceKind>(
  ports: ManagementPorts,
  kind: K,
  namesOf: (call: Call) => string[],
): Handler {
  return async (call) => {
    const stored = await ports.registry.get(kind, keyOf(kind, namesOf(call)));
    return ok(bodyOf(stored, call, ports), { etag: `"${stored.etag}"` });
  };
}

/** Create or replace. All that is wrong is told at once, and nothing is stored then. */
export function createPut<K extends ResourceKind>(
  ports: ManagementPorts,
  kind: K,
  namesOf: (call: Call) => string[],
  check: FurtherCheck<K>,
): Handler {
  return async (call) => {
    const names = namesOf(call);
    const ifMatch = readGuard(call.headers);
    const spec = await readSpec(kind, names, call.body, check);
    return write(ports, kind, names.join('/'), spec, { ifMatch, call });
  };
}

export async function readSpec<K extends ResourceKind>(
  kind: K,
  names: readonly string[],
  body: unknown,
  check: FurtherCheck<K>,
): Promise<SpecByKind[K]> {
  const read = specFromArm(kind, body);
  const problems = [...nameProblems(kind, names), ...read.problems];
  const spec = await check(read.spec, problems);
  if (problems.length > 0) throw refusal(`the ${kind.replace('-', ' ')}`, problems);
  return spec;
}

export async function write<K extends ResourceKind>(
  ports: ManagementPorts,
  kind: K,
  key: string,
  spec: SpecByKind[K],
  { ifMatch, call }: { ifMatch: string; call: Call },
): Promise<Answer> {
  const guard = { ifMatch, principal: call.principal };
  const { resource, created } = await ports.registry.put(kind, key, spec, guard).catch((thrown: unknown) => {
    throw inArmPaths(kind, thrown);
  });
  const headers = { etag: `"${resource.etag}"`, ...operationHeaders(resource, call) };
  return { status: created ? 201 : 200, body: bodyOf(resource, call, ports), headers };
}

/** Deleting what is absent succeeds (204). */
export function createDelete<K extends ResourceKind>(
  ports: ManagementPorts,
  kind: K,
  namesOf: (call: Call) => string[],
): Handler {
  return async (call) => {
    const names = namesOf(call);
    const ifMatch = readGuard(call.headers);
    if (nameProblems(kind, names).length > 0) return { status: 204 };
    const deleted = await ports.registry.delete(kind, names.join('/'), { ifMatch, principal: call.principal });
    if (deleted === undefined) return { status: 204 };
    const headers = operationHeaders(deleted, call);
    if (headers['azure-asyncoperation'] === undefined) return { status: 200 };
    return { status: 202, headers: { ...headers, location: operationAddress(call, 'Results', deleted.operation.id) } };
  };
}

/** For a change that goes on (azureml-contract 3.2). Zero would make Azure's clients wait for half a minute. */
function operationHeaders({ operation }: Stored, call: Call): Record<string, string> {
  if (operation.status !== 'InProgress') return {};
  return { 'azure-asyncoperation': operationAddress(call, 'Status', operation.id), 'retry-after': '1' };
}

export function operationAddress(call: Call, what: 'Status' | 'Results', id: string): string {
  const { subscription } = call.workspace;
  const path = `/subscriptions/${encodeURIComponent(subscription)}/providers/Microsoft.MachineLearningServices/locations/${location}/mfeOperations${what}/${encodeURIComponent(id)}`;
  return `${call.baseUrl}${path}?api-version=${apiVersionOf(call)}`;
}
