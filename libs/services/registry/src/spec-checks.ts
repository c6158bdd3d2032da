import {
  endpointKindOf,
  type AssetKind,
  type ComponentVersionSpec,
  type DeploymentKind,
  type EndpointKind,
  type ResourceKind,
  type SpecByKind,
  type SpecProblem,
} from '@mooring/domain';
import { environmentProblems, writeOnceProblems } from './domain/asset-rules.ts';
import { batchDeploymentProblems, batchEndpointProblems } from './domain/batch-rules.ts';
import { componentParts, pipelineProblems } from './domain/component-rules.ts';
import { deploymentProblems } from './domain/deployment-rules.ts';
import { endpointProblems, namesakeProblems } from './domain/endpoint-rules.ts';
import { readAddress, storePrefix, type Address } from './domain/keys.ts';
import type { References, Referring } from './domain/reference-rules.ts';
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
  const onlineEndpoint: Check<'online-endpoint'> = async (address, spec, current) => {
    const shares = [spec.traffic, spec.mirrorTraffic].some((table) => Object.keys(table).length > 0);
    const known = current !== undefined && shares;
    const [deployments, namesakes] = await Promise.all([
      known ? namesOf(resources, 'online-deployment', address.key) : new Set<string>(),
      current === undefined ? namesakesOf(resources, 'batch-endpoint', address.key) : [],
    ]);
    return [...namesakes, ...endpointProblems(spec, { current, deployments })];
  };
  const batchEndpoint: Check<'batch-endpoint'> = async (address, spec, current) => {
    const known = current !== undefined && spec.defaultDeployment !== undefined;
    const [deployments, namesakes] = await Promise.all([
      known ? namesOf(resources, 'batch-deployment', address.key) : new Set<string>(),
      current === undefined ? namesakesOf(resources, 'online-endpoint', address.key) : [],
    ]);
    return [...namesakes, ...batchEndpointProblems(spec, { current, deployments })];
  };
  return {
    'online-endpoint': onlineEndpoint,
    'online-deployment': async (address, spec, current) => {
      const [place, references] = await Promise.all([
        placeOf(resources, 'online-deployment', address, current === undefined),
        referencesOf(resources, spec),
      ]);
      return deploymentProblems(spec, { current, ...place, references });
    },
    'batch-endpoint': batchEndpoint,
    'batch-deployment': async (address, spec, current) => {
      const [place, references, component] = await Promise.all([
        placeOf(resources, 'batch-deployment', address, current === undefined),
        referencesOf(resources, spec.type === 'model' ? spec : {}),
        spec.type === 'pipeline' ? find(resources, 'component', spec.component) : undefined,
      ]);
      const all = { ...references, component: component?.document.spec };
      return batchDeploymentProblems(spec, { current, ...place, references: all });
    },
    model: async (_address, spec, current) => writeOnceProblems('model', spec, current),
    environment: async (_address, spec, current) => [
      ...environmentProblems(spec),
      ...writeOnceProblems('environment', spec, current),
    ],
    code: async (_address, spec, current) => writeOnceProblems('code', spec, current),
    data: async (_address, spec, current) => writeOnceProblems('data', spec, current),
    component: async (_address, spec, current) => {
      const problems = writeOnceProblems('component', spec, current);
      // What is stored was sound when it was; its tags may change whatever its steps have become.
      return problems.length > 0 || current !== undefined ? problems : componentProblems(resources, spec);
    },
  };
}

/** Where a deployment is: its endpoint, and how many others that has. */
async function placeOf(resources: Resources, kind: DeploymentKind, { names }: Address, isNew: boolean) {
  const endpointName = names[0] ?? '';
  const [endpoint, siblings] = await Promise.all([
    find(resources, endpointKindOf[kind], endpointName),
    isNew ? namesOf(resources, kind, endpointName) : new Set(),
  ]);
  return {
    endpoint: endpoint && { name: endpoint.document.key, state: endpoint.document.state },
    endpointName,
    siblings: siblings.size,
  };
}

/** Names, in lower case, of the deployments of an endpoint that stay. */
async function namesOf(resources: Resources, kind: DeploymentKind, endpoint: string): Promise<ReadonlySet<string>> {
  const staying = (await listBelow(resources, kind, endpoint)).filter(({ document }) => document.state !== 'Deleting');
  return new Set(staying.map(({ document }) => nameOf(document.key).toLowerCase()));
}

/** One of the other kind counts as long as it is there at all: its keys go with it. */
async function namesakesOf(resources: Resources, other: EndpointKind, name: string): Promise<SpecProblem[]> {
  const namesake = await find(resources, other, name);
  return namesakeProblems(namesake && other, namesake?.document.key ?? name);
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

/** The components of a pipeline's steps are looked up; whatever else a component names is when it runs. */
async function componentProblems(resources: Resources, { component }: ComponentVersionSpec): Promise<SpecProblem[]> {
  const { pipeline, keys, problems } = componentParts(component);
  if (pipeline === undefined || problems.length > 0) return problems;
  const found = await Promise.all(
    [...keys].map(async ([step, key]) => [step, await findVersion(resources, 'component', key)] as const),
  );
  return pipelineProblems(pipeline, new Map(found.map(([step, read]) => [step, read?.document.spec])));
}

/** By `name/version`, or the newest by `name@latest`. */
async function findVersion<K extends AssetKind>(
  resources: Resources,
  kind: K,
  key: string,
): Promise<Read<K> | undefined> {
  if (!key.endsWith('@latest')) return find(resources, kind, key);
  const versions = await listBelow(resources, kind, key.slice(0, -'@latest'.length));
  const createdAt = ({ document }: Read<K>): string => document.system.createdAt;
  return versions.toSorted((a, b) => (createdAt(a) < createdAt(b) ? -1 : 1)).at(-1);
}

async function referencesOf(resources: Resources, spec: Referring): Promise<References> {
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
