import { armFromResource } from '@mooring/azureml/arm';
import {
  isEndpointName,
  notFound,
  refusal,
  type DeploymentKind,
  type EndpointKind,
  type SpecProblem,
  type Stored,
} from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { notYet } from '../domain/refusal.ts';
import { readListQuery, selectPage } from '../domain/listing.ts';
import { mergeMirrorReports } from '../domain/mirror-report.ts';
import { ok, type Call, type Handler } from '../http/call.ts';
import type { ManagementPorts } from '../ports.ts';
import { listAll, pageAnswer } from './listing.ts';
import { bodyOf, keyOf, location, operationAddress } from './resource.ts';

export function endpointNames({ params }: Call): string[] {
  return [params['endpoint'] ?? ''];
}

export function createListEndpoints(ports: ManagementPorts, kind: EndpointKind): Handler {
  return async (call) => {
    const query = readListQuery(call.query);
    const name = call.query['name'];
    const all = await listAll(ports.registry, kind, '');
    const named =
      typeof name === 'string' && name !== '' ? all.filter(({ key }) => key.toLowerCase() === name.toLowerCase()) : all;
    return pageAnswer(selectPage(named, query), call, (stored) => bodyOf(stored, call, ports));
  };
}

/** The keys in clear: for the admin alone, never cached on the way. */
export function createListKeys({ registry, auth }: ManagementPorts, kind: EndpointKind): Handler {
  return async (call) => {
    const { key } = await registry.get(kind, keyOf(kind, endpointNames(call)));
    const { primaryKey, secondaryKey } = await auth.listKeys(key).catch(keysPending);
    return ok({ primaryKey, secondaryKey }, { 'cache-control': 'no-store' });
  };
}

const slots: Readonly<Record<string, 'primary' | 'secondary'>> = { primary: 'primary', secondary: 'secondary' };

/** The endpoint is there, so its keys will be: the controller has them made first. */
function keysPending(thrown: unknown): never {
  if (!(thrown instanceof PlatformError) || thrown.code !== 'not_found') throw thrown;
  const message = 'the keys of this endpoint are being made; try again shortly';
  throw new PlatformError('unavailable', 'ENDPOINT_KEYS_PENDING', message, { cause: thrown, retryAfterMs: 1_000 });
}

/** Makes one key new. Azure's clients send the key as it is now as `keyValue` (azureml-contract 10.4). */
export function createRegenerateKeys(
  { registry, auth }: ManagementPorts,
  kind: EndpointKind,
  uuid: () => string,
): Handler {
  return async (call) => {
    const body = (call.body ?? {}) as { keyType?: unknown; keyValue?: unknown };
    const slot = typeof body.keyType === 'string' ? slots[body.keyType.toLowerCase()] : undefined;
    if (slot === undefined) {
      const problem: SpecProblem = { path: 'keyType', problem: 'is not a key', expected: 'Primary or Secondary' };
      throw refusal('the request', [problem]);
    }
    const { key } = await registry.get(kind, keyOf(kind, endpointNames(call)));
    await checkKeyValue(body.keyValue, () => auth.listKeys(key).catch(keysPending));
    await auth.regenerateKey(key, slot).catch(keysPending);
    const headers = { location: operationAddress(call, 'Results', `${doneMark}${uuid()}`), 'retry-after': '1' };
    return { status: 202, headers };
  };
}

/** A value that is no current key would be one that the caller chose, and must not be passed over in silence. */
async function checkKeyValue(
  value: unknown,
  listKeys: () => Promise<{ primaryKey: string; secondaryKey: string }>,
): Promise<void> {
  if (value === undefined || value === null || value === '') return;
  const { primaryKey, secondaryKey } = await listKeys();
  if (value !== primaryKey && value !== secondaryKey) {
    throw notYet('a key of your own choice (keyValue is none of the current keys; leave it out to have one made)');
  }
}

/** Begins the id of an operation that had ended before its id was given out. */
export const doneMark = 'done.';

const online = 'online-endpoint';

export function createMirrorReport({ registry, state }: ManagementPorts): Handler {
  return async (call) => {
    const { key } = await registry.get(online, keyOf(online, endpointNames(call)));
    return ok({ value: mergeMirrorReports(await state.mirrorReports(key)) });
  };
}

/** Instances of the endpoint, or of one deployment, as the controller has them. */
export function createListInstances({ registry, controller }: ManagementPorts): Handler {
  return async (call) => {
    const { key } = await registry.get(online, keyOf(online, endpointNames(call)));
    const deployment = call.params['deployment'] ?? '';
    if (deployment !== '' && !isEndpointName(deployment)) throw notFound('online-deployment', `${key}/${deployment}`);
    return ok({ value: await controller.instances(key, deployment) });
  };
}

/** Kept revisions, newest last, each with the resource as it was. */
export function createRevisions(
  ports: ManagementPorts,
  of: EndpointKind | DeploymentKind,
  namesOf: (call: Call) => string[],
): Handler {
  return async (call) => {
    const revisions: Stored[] = await ports.registry.revisions(of, keyOf(of, namesOf(call)));
    const context = { workspace: call.workspace, location, gatewayUrl: ports.state.gatewayUrl() };
    const value = revisions.toReversed().map((revision) => ({
      etag: revision.etag,
      generation: revision.generation,
      state: revision.state,
      modifiedAt: revision.system.lastModifiedAt,
      modifiedBy: revision.system.lastModifiedBy,
      resource: armFromResource(revision, context),
    }));
    return ok({ value });
  };
}
