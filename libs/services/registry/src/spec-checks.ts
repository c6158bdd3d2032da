import type { ResourceKind, SpecByKind, SpecProblem } from '@mooring/domain';
import { environmentProblems, writeOnceProblems } from './domain/asset-rules.ts';
import { deploymentProblems, type References } from './domain/deployment-rules.ts';
import { endpointProblems } from './domain/endpoint-rules.ts';
import { readAddress, storePrefix, type Address } from './domain/keys.ts';
import type { Read, Resources } from './resources.ts';

type Check<K extends ResourceKind> = (
  address: Address,
  spec: SpecByKind[K],
  current: SpecByKind[K] | undefined,
) => Promise<SpecProblem[]>;

/** The rules of every kind, with what they need to know about other resources. */
export type SpecChecks = { readonly [K in ResourceKind]: Check<K> };

/**
 * Names may be wrong here: then the resource does not exist, and the rules still find what else is wrong. `current` is
 * the spec without environment variables, which no rule compares.
 */
export function createSpecChecks(resources: Resources): SpecChecks {
  return {
    'online-endpoint': async (address, spec, current) => {
      const shares = [spec.traffic, spec.mirrorTraffic].some((table) => Object.keys(table).length > 0);
      const deployments = current !== undefined && shares ? await deploymentsOf(resources, address.key) : [];
      return endpointProblems(spec, {
        current,
        deployments: new Set(deployments.map(({ document }) => nameOf(document.key).toLowerCase())),
      });
    },
    'online-deployment': async (address, spec, current) => {
      const endpointName = address.names[0] ?? '';
      const [endpoint, siblings, references] = await Promise.all([
        find(resources, 'online-endpoint', endpointName),
        current === undefined ? deploymentsOf(resources, endpointName) : [],
        referencesOf(resources, spec),
      ]);
      return deploymentProblems(spec, {
        current,
        endpoint: endpoint && { name: endpoint.document.key, state: endpoint.document.state },
        endpointName,
        siblings: siblings.length,
        references,
      });
    },
    model: async (_address, spec, current) => writeOnceProblems('model', spec, current),
    environment: async (_address, spec, current) => [
      ...environmentProblems(spec),
      ...writeOnceProblems('environment', spec, current),
    ],
    code: async (_address, spec, current) => writeOnceProblems('code', spec, current),
  };
}

/** The deployments of an endpoint that stay. */
async function deploymentsOf(resources: Resources, endpoint: string): Promise<Read<'online-deployment'>[]> {
  const all = await listBelow(resources, 'online-deployment', endpoint);
  return all.filter(({ document }) => document.state !== 'Deleting');
}

/** Everything of a kind below a parent; nothing when the parent's name is none. */
export async function listBelow<K extends ResourceKind>(
  resources: Resources,
  kind: K,
  parent: string,
): Promise<Read<K>[]> {
  const prefix = storePrefix(kind, parent);
  return prefix === undefined ? [] : resources.list(kind, prefix);
}

/** By its key, as a spec or a path names it. */
async function find<K extends ResourceKind>(resources: Resources, kind: K, key: string): Promise<Read<K> | undefined> {
  const { address, problems } = readAddress(kind, key);
  return problems.length > 0 ? undefined : resources.get(kind, address.storeKey);
}

async function referencesOf(resources: Resources, spec: SpecByKind['online-deployment']): Promise<References> {
  const [model, environment, code] = await Promise.all([
    spec.model === undefined ? undefined : find(resources, 'model', spec.model),
    spec.environment === undefined ? undefined : find(resources, 'environment', spec.environment),
    spec.code === undefined ? undefined : find(resources, 'code', spec.code.codeKey),
  ]);
  return { model: model?.document.spec, environment: environment?.document.spec, codeExists: code !== undefined };
}

function nameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}
