import { workspaceId } from '@mooring/azureml/arm';
import {
  isAssetName,
  notFound,
  refusal,
  type AssetKind,
  type DataVersionSpec,
  type ModelVersionSpec,
  type SpecProblem,
  type Stored,
} from '@mooring/domain';
import { containersOf, hasHash, isContainerInView, type AssetContainer } from '../domain/containers.ts';
import { cutPage, readListQuery, selectPage } from '../domain/listing.ts';
import { ok, type Call, type Handler } from '../http/call.ts';
import type { ManagementPorts } from '../ports.ts';
import { listAll, pageAnswer } from './listing.ts';
import { bodyOf } from './resource.ts';

export const assetCollections = {
  models: 'model',
  environments: 'environment',
  codes: 'code',
  data: 'data',
  components: 'component',
} as const;
type AssetCollection = keyof typeof assetCollections;

export function versionNames({ params }: Call): string[] {
  return [params['name'] ?? '', params['version'] ?? ''];
}

/** Versions of one asset; with `hash` those of that content under any name. An asset without versions has none to list. */
export function createListVersions(ports: ManagementPorts, kind: AssetKind): Handler {
  return async (call) => {
    const query = readListQuery(call.query);
    const name = call.params['name'] ?? '';
    const hash = call.query['hash'];
    const found =
      typeof hash === 'string' && hash !== ''
        ? (await listAll(ports.registry, kind, '')).filter((version) => hasHash(version, hash))
        : isAssetName(name)
          ? await listAll(ports.registry, kind, name)
          : [];
    return pageAnswer(selectPage(found, query), call, (version) => bodyOf(version, call, ports));
  };
}

export function createListContainers(ports: ManagementPorts, collection: AssetCollection): Handler {
  return async (call) => {
    const query = readListQuery(call.query);
    const all = containersOf(await listAll(ports.registry, assetCollections[collection], ''));
    const wanted = all.filter((container) => isContainerInView(container, query.view));
    return pageAnswer(cutPage(wanted, query), call, (container) => containerBody(container, collection, call));
  };
}

export function createGetContainer(ports: ManagementPorts, collection: AssetCollection): Handler {
  return async (call) => ok(containerBody(await readContainer(ports, collection, call), collection, call));
}

/** Archives or restores all versions; everything else about an asset is kept on its versions. */
export function createPutContainer(ports: ManagementPorts, collection: AssetCollection): Handler {
  return async (call) => {
    const isArchived = readArchived(call.body);
    const container = await readContainer(ports, collection, call);
    const guard = (version: Stored) => ({ ifMatch: version.etag, principal: call.principal });
    for (const version of container.versions) {
      if (isArchived === undefined || (version.spec as ModelVersionSpec).isArchived === isArchived) continue;
      await ports.registry.put(version.kind, version.key, { ...version.spec, isArchived }, guard(version));
    }
    return ok(containerBody(await readContainer(ports, collection, call), collection, call));
  };
}

async function readContainer(
  { registry }: ManagementPorts,
  collection: AssetCollection,
  { params }: Call,
): Promise<AssetContainer> {
  const kind = assetCollections[collection];
  const name = params['name'] ?? '';
  const [container] = isAssetName(name) ? containersOf(await listAll(registry, kind, name)) : [];
  if (container === undefined) throw notFound(kind, name);
  return container;
}

function readArchived(body: unknown): boolean | undefined {
  const problems: SpecProblem[] = [];
  const properties = asObject(asObject(body)['properties']);
  const { isArchived } = properties;
  if (isArchived !== undefined && typeof isArchived !== 'boolean') {
    problems.push({ path: 'properties.isArchived', problem: 'is not allowed', expected: 'true or false' });
  }
  for (const field of ['description', 'tags', 'properties']) {
    // What a client sends back of what it read says nothing.
    if (isEmpty(properties[field])) continue;
    problems.push({
      path: `properties.${field}`,
      problem: 'cannot be kept for all versions together',
      expected: 'each version to have its own',
    });
  }
  if (problems.length > 0) throw refusal('the asset', problems);
  return isArchived as boolean | undefined;
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function containerBody(
  container: AssetContainer,
  collection: AssetCollection,
  { workspace }: Call,
): Record<string, unknown> {
  const { name, newest, isArchived, latestVersion, nextVersion } = container;
  const created = container.versions
    .map(({ system }) => system)
    .toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : 1))[0];
  return {
    id: `${workspaceId(workspace)}/${collection}/${name}`,
    name,
    type: `Microsoft.MachineLearningServices/workspaces/${collection}`,
    systemData: {
      createdAt: created?.createdAt,
      createdBy: created?.createdBy,
      createdByType: 'User',
      lastModifiedAt: newest.system.lastModifiedAt,
      lastModifiedBy: newest.system.lastModifiedBy,
      lastModifiedByType: 'User',
    },
    properties: {
      tags: {},
      properties: {},
      isArchived,
      ...(newest.kind === 'data' ? { dataType: (newest.spec as DataVersionSpec).type } : {}),
      ...(latestVersion === undefined ? {} : { latestVersion }),
      nextVersion,
      provisioningState: 'Succeeded',
    },
  };
}
