import { endpointKindOf, refusal, type DeploymentKind, type SpecProblem } from '@mooring/domain';
import { readListQuery, selectPage } from '../domain/listing.ts';
import { ok, type Call, type Handler } from '../http/call.ts';
import type { ControllerPort, ManagementPorts } from '../ports.ts';
import { endpointNames } from './endpoints.ts';
import { listAll, pageAnswer } from './listing.ts';
import { bodyOf, keyOf } from './resource.ts';

const kind = 'online-deployment';
const instancesMax = 50;
const logLinesDefault = 5_000;
const logLinesMax = 100_000;

export function deploymentNames({ params }: Call): string[] {
  return [params['endpoint'] ?? '', params['deployment'] ?? ''];
}

/** With where its model runs, while the controller can be asked. */
export function createGetDeployment(ports: ManagementPorts): Handler {
  return async (call) => {
    const stored = await ports.registry.get(kind, keyOf(kind, deploymentNames(call)));
    const placement = await placementOf(ports.controller, stored.key);
    const body = bodyOf(stored, call, ports);
    const properties = body['properties'] as Record<string, unknown>;
    const mooring = { ...(properties['mooring'] as object), ...(placement === undefined ? {} : { placement }) };
    return ok({ ...body, properties: { ...properties, mooring } }, { etag: `"${stored.etag}"` });
  };
}

/** As the instance that became ready last found it. */
async function placementOf(controller: ControllerPort, key: string): Promise<Record<string, unknown> | undefined> {
  const [endpoint = '', deployment = ''] = key.split('/');
  const instances = await controller.instances(endpoint, deployment).catch(() => []);
  const ready = instances.filter(({ state, placement }) => state === 'ready' && placement !== undefined);
  const newest = ready.toSorted((a, b) => ((a.readyAt ?? '') < (b.readyAt ?? '') ? -1 : 1)).at(-1)?.placement;
  return newest === undefined ? undefined : { chosen: newest.chosen, why: newest.why, runUs: newest.runUs };
}

export function createListDeployments(ports: ManagementPorts, of: DeploymentKind): Handler {
  const above = endpointKindOf[of];
  return async (call) => {
    const query = readListQuery(call.query);
    const { key } = await ports.registry.get(above, keyOf(above, endpointNames(call)));
    const page = selectPage(await listAll(ports.registry, of, key), query);
    return pageAnswer(page, call, (stored) => bodyOf(stored, call, ports));
  };
}

const containers: Readonly<Record<string, string>> = {
  inferenceserver: 'inference-server',
  storageinitializer: 'storage-initializer',
};

export function createGetLogs({ registry, controller }: ManagementPorts): Handler {
  return async (call) => {
    const body = (call.body ?? {}) as { tail?: unknown; containerType?: unknown };
    const tail = body.tail ?? logLinesDefault;
    const container = containers[String(body.containerType ?? 'InferenceServer').toLowerCase()];
    const problems: SpecProblem[] = [];
    if (!Number.isInteger(tail) || (tail as number) < 1 || (tail as number) > logLinesMax) {
      problems.push({ path: 'tail', problem: 'is not allowed', expected: `a whole number from 1 to ${logLinesMax}` });
    }
    if (container === undefined) {
      const expected = 'InferenceServer or StorageInitializer';
      problems.push({ path: 'containerType', problem: 'is not allowed', expected });
    }
    if (problems.length > 0) throw refusal('the request', problems);
    const { key } = await registry.get(kind, keyOf(kind, deploymentNames(call)));
    const [endpoint = '', deployment = ''] = key.split('/');
    const content = await controller.logs({ endpoint, deployment, tail: tail as number, container: container ?? '' });
    return ok({ content });
  };
}

/** azureml-contract 3.3: how many instances a deployment may have. */
export function createSkus({ registry }: ManagementPorts): Handler {
  return async (call) => {
    await registry.get(kind, keyOf(kind, deploymentNames(call)));
    const sku = {
      resourceType: 'Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments',
      sku: { name: 'Default', tier: 'Standard' },
      capacity: { minimum: 1, maximum: instancesMax, default: 1, scaleType: 'Manual' },
    };
    return ok({ value: [sku] });
  };
}
