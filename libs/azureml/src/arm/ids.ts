import { isAssetKind, isAssetName, isEndpointKind, laterProblem, type ResourceKind } from '@mooring/domain';
import { wrong, type Field } from '../reading/fields.ts';
import { laterReference, readReference, type AssetType } from '../reading/references.ts';

export type { AssetType } from '../reading/references.ts';

/** The name space of an ARM path. Mooring has one; the names are echoed as the caller wrote them. */
export interface Workspace {
  subscription: string;
  resourceGroup: string;
  workspace: string;
}

const provider = 'Microsoft.MachineLearningServices';

const collections: Readonly<Record<ResourceKind, string>> = {
  'online-endpoint': 'onlineEndpoints',
  'online-deployment': 'onlineEndpoints/deployments',
  'batch-endpoint': 'batchEndpoints',
  'batch-deployment': 'batchEndpoints/deployments',
  model: 'models',
  environment: 'environments',
  code: 'codes',
  data: 'data',
  component: 'components',
};

export function workspaceId({ subscription, resourceGroup, workspace }: Workspace): string {
  return `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/${provider}/workspaces/${workspace}`;
}

/** ARM's `type`: the path of collection names. */
export function resourceType(kind: ResourceKind): string {
  const below = isAssetKind(kind) ? '/versions' : '';
  return `${provider}/workspaces/${collections[kind]}${below}`;
}

/** ARM id of a resource by its key: `cars/luca` is `.../onlineEndpoints/cars/deployments/luca`. */
export function resourceId(workspace: Workspace, kind: ResourceKind, key: string): string {
  const [first = '', second = ''] = key.split('/');
  const base = workspaceId(workspace);
  const [collection = '', below = 'versions'] = collections[kind].split('/');
  const top = `${base}/${collection}/${first}`;
  return isEndpointKind(kind) ? top : `${top}/${below}/${second}`;
}

/** ARM id of a compute. */
export function computeId(workspace: Workspace, name: string): string {
  return `${workspaceId(workspace)}/computes/${name}`;
}

const labelId = /^(?:azureml:)?\/subscriptions\/[^/]+\/.*\/workspaces\/[^/]+\/([^/]+)\/([^/]+)\/labels\/([^/]+)$/i;

/**
 * A reference to a stored asset as its key, `name/version`; `name@latest` stays to be resolved by whoever knows the
 * versions. Takes an ARM id or Azure's short forms.
 */
export function assetReference(type: AssetType): Field<string> {
  return {
    read(value, path, reading) {
      if (typeof value !== 'string' || value.length > 2048) {
        return wrong(reading, path, value, `the ARM id of a version: .../${type}/<name>/versions/<version>`);
      }
      const label = labelId.exec(value);
      if (label?.[1]?.toLowerCase() === type && isAssetName(label[2] ?? '') && label[3] === 'latest') {
        return `${label[2]}@latest`;
      }
      const reference = readReference(value, type, path, reading);
      if (reference === undefined) return undefined;
      if (!isAssetName(reference.name)) return wrong(reading, path, reference.name, 'the name of an asset');
      if (reference.form === 'latest') return `${reference.name}@latest`;
      if (!isAssetName(reference.version)) return wrong(reading, path, reference.version, 'the version of an asset');
      return `${reference.name}/${reference.version}`;
    },
  };
}

const datastoreUri =
  /^azureml:\/\/(?:subscriptions\/[^/]+\/resourcegroups\/[^/]+\/(?:providers\/[^/]+\/)?workspaces\/[^/]+\/)?datastores\/([^/]+)\/paths\/(.+)$/i;

/**
 * Where uploaded files lie, as `container/prefix` of the artifact store. Takes a datastore URI or the address of a blob
 * under this server's own `/blob/`; every other place is a later capability.
 */
export const uploadedFiles: Field<string> = {
  read(value, path, reading) {
    const expected = 'the place of an upload: azureml://datastores/<container>/paths/<path>, or a /blob/ address';
    if (typeof value !== 'string' || value.length > 2048) return wrong(reading, path, value, expected);
    const datastore = datastoreUri.exec(value);
    const place = datastore ? `${datastore[1]}/${datastore[2]}` : blobPath(value);
    if (place !== undefined && isSafePlace(place)) return trimSlash(place);
    const capability = place === undefined ? laterReference(value) : undefined;
    if (capability === undefined) return wrong(reading, path, value, expected);
    reading.problems.push(laterProblem(path, capability));
    return undefined;
  },
};

/** URI of files in the artifact store, as Azure prints it. */
export function datastoreUriOf(workspace: Workspace, place: string): string {
  const { subscription, resourceGroup, workspace: name } = workspace;
  const [container = '', ...path] = place.split('/');
  const scope = `subscriptions/${subscription}/resourcegroups/${resourceGroup}/workspaces/${name}`;
  return `azureml://${scope}/datastores/${container}/paths/${path.join('/')}`;
}

function blobPath(uri: string): string | undefined {
  if (!URL.canParse(uri)) return undefined;
  const { protocol, pathname } = new URL(uri);
  if (protocol !== 'http:' && protocol !== 'https:') return undefined;
  // Azure's SDK puts an account name before the container; there is one account.
  const match = /^\/blob\/(?:[^/]+\.blob\.[^/]+\/)?(.+)$/.exec(pathname);
  try {
    return match?.[1] === undefined ? undefined : decodeURIComponent(match[1]);
  } catch {
    return undefined;
  }
}

function isSafePlace(place: string): boolean {
  const segments = trimSlash(place).split('/');
  return segments.length >= 2 && segments.every((s) => s !== '' && s !== '.' && s !== '..' && !/[\p{Cc}\\]/u.test(s));
}

function trimSlash(text: string): string {
  return text.replace(/\/$/, '');
}
