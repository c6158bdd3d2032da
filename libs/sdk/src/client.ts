import type { ArmBody } from '@mooring/azureml/yaml';
import type { RequestRecord } from '@mooring/domain';
import { asList, asObject, textOf } from './arm-error.ts';
import { listBlobs, type ListedBlob } from './download/list-blobs.ts';
import { jobCalls } from './jobs.ts';
import { segment } from './segment.ts';
import { createArmRest, type ArmResource, type ArmRest, type CallOptions, type WriteOptions } from './arm-rest.ts';
import { createHttp, type HttpOptions } from './http.ts';
import type { Workspace } from './workspace.ts';

export interface EndpointKeys {
  primaryKey: string;
  secondaryKey: string;
}

export type AssetCollection = 'models' | 'environments' | 'codes' | 'data' | 'components';

/** Where the files of an asset are to be sent. */
export interface PendingUpload {
  /** Address of the container, as assets refer to it. */
  blobUri: string;
  /** The same with the right to write in its query. */
  sasUri: string;
}

export type ListView = 'ActiveOnly' | 'ArchivedOnly' | 'All';

/** How one request was decided, and where its time went. */
export type ExplainedRequest = Omit<RequestRecord, 'mirrored'> & {
  mirrored: readonly { deployment: string; result?: string; where?: string }[];
};

export type ManagementClient = ReturnType<typeof createManagementClient>;

/**
 * The management REST, in ARM's shape (azureml-contract 3), for the kinds that exist. Every call has a deadline, takes
 * a signal, and rejects with the server's PlatformError.
 */
export function createManagementClient(options: HttpOptions & { workspace?: Workspace | undefined }) {
  const rest = createArmRest(options);
  const http = createHttp(options);
  return {
    workspacePath: rest.base,
    onlineEndpoints: { ...endpointCalls(rest, 'onlineEndpoints'), ...mirrorCalls(rest) },
    onlineDeployments: { ...deploymentCalls(rest, 'onlineEndpoints'), ...logCalls(rest) },
    batchEndpoints: endpointCalls(rest, 'batchEndpoints'),
    batchDeployments: deploymentCalls(rest, 'batchEndpoints'),
    jobs: jobCalls(rest),
    assets: (collection: AssetCollection) => assetCalls(rest, collection),
    /** A blob of the artifact store from byte `from` on, its body still to be read; `signal` ends that, too. */
    openBlob: (container: string, path: string, call: CallOptions & { from?: number } = {}): Promise<Response> => {
      const address = ['/blob', segment(container), ...path.split('/').map(segment)].join('/');
      const headers = call.from === undefined || call.from === 0 ? {} : { range: `bytes=${call.from}-` };
      return http.open({ method: 'GET', path: address, headers, signal: call.signal });
    },
    listBlobs: (container: string, prefix: string, call: CallOptions = {}): AsyncGenerator<ListedBlob> =>
      listBlobs(http, `/blob/${segment(container)}`, prefix, call),
    auditEvents: async (top: number, call: CallOptions = {}): Promise<Record<string, unknown>[]> => {
      const answer = await rest.send({ method: 'GET', path: `/auditEvents?$top=${top}`, signal: call.signal });
      return asList(asObject(answer.body)['value']).map(asObject);
    },
    /** The requests of an id, newest first: a caller's own id may be that of several. Rejects with REQUEST_NOT_KEPT. */
    explainRequest: async (id: string, call: CallOptions = {}): Promise<ExplainedRequest[]> => {
      const answer = await rest.send({ method: 'GET', path: `/requests/${segment(id)}`, signal: call.signal });
      return asList(asObject(answer.body)['value']) as unknown as ExplainedRequest[];
    },
  };
}

type EndpointCollection = 'onlineEndpoints' | 'batchEndpoints';

function endpointCalls({ get, listAll, put, remove, post, operationOf }: ArmRest, collection: EndpointCollection) {
  const endpointPath = (name: string): string => `/${collection}/${segment(name)}`;
  return {
    get: (name: string, call: CallOptions = {}) => get(endpointPath(name), call),
    list: (call: CallOptions = {}) => listAll(`/${collection}`, call),
    put: (name: string, body: ArmBody, write: WriteOptions = {}) => put(endpointPath(name), body, write),
    delete: (name: string, write: WriteOptions = {}) => remove(endpointPath(name), write),
    listKeys: async (name: string, call: CallOptions = {}): Promise<EndpointKeys> =>
      (await post(`${endpointPath(name)}/listKeys`, {}, call)).body as EndpointKeys,
    regenerateKeys: async (name: string, key: 'Primary' | 'Secondary', write: WriteOptions = {}): Promise<void> => {
      const path = `${endpointPath(name)}/regenerateKeys`;
      const answer = await post(path, { keyType: key }, write);
      if (write.wait !== false && answer.headers.has('azure-asyncoperation')) await operationOf(answer, path, write);
    },
    revisions: (name: string, call: CallOptions = {}) => listAll(`${endpointPath(name)}/revisions`, call),
  };
}

function mirrorCalls({ listAll }: ArmRest) {
  return {
    mirrorReport: (name: string, call: CallOptions = {}) =>
      listAll(`/onlineEndpoints/${segment(name)}/mirrorReport`, call),
  };
}

function deploymentPath(collection: EndpointCollection, endpoint: string, name: string): string {
  return `/${collection}/${segment(endpoint)}/deployments/${segment(name)}`;
}

function deploymentCalls({ get, listAll, put, remove }: ArmRest, collection: EndpointCollection) {
  const pathOf = (endpoint: string, name: string): string => deploymentPath(collection, endpoint, name);
  return {
    get: (endpoint: string, name: string, call: CallOptions = {}) => get(pathOf(endpoint, name), call),
    list: (endpoint: string, call: CallOptions = {}) =>
      listAll(`/${collection}/${segment(endpoint)}/deployments`, call),
    put: (endpoint: string, name: string, body: ArmBody, write: WriteOptions = {}) =>
      put(pathOf(endpoint, name), body, write),
    revisions: (endpoint: string, name: string, call: CallOptions = {}) =>
      listAll(`${pathOf(endpoint, name)}/revisions`, call),
    delete: (endpoint: string, name: string, write: WriteOptions = {}) => remove(pathOf(endpoint, name), write),
  };
}

function logCalls({ post }: ArmRest) {
  return {
    /** The last `tail` lines. */
    getLogs: async (
      endpoint: string,
      name: string,
      log: { tail: number; containerType: 'InferenceServer' | 'StorageInitializer' },
      call: CallOptions = {},
    ): Promise<string> => {
      const answer = await post(`${deploymentPath('onlineEndpoints', endpoint, name)}/getLogs`, log, call);
      return textOf(asObject(answer.body)['content']) ?? '';
    },
  };
}

function assetCalls({ send, get, listAll, put, post }: ArmRest, collection: AssetCollection) {
  const path = (name: string): string => `/${collection}/${segment(name)}`;
  const versionPath = (name: string, version: string): string => `${path(name)}/versions/${segment(version)}`;
  return {
    getContainer: (name: string, call: CallOptions = {}) => get(path(name), call),
    listContainers: (call: CallOptions & { view?: ListView } = {}) =>
      listAll(`/${collection}?listViewType=${call.view ?? 'ActiveOnly'}`, call),
    getVersion: (name: string, version: string, call: CallOptions = {}) => get(versionPath(name, version), call),
    listVersions: (name: string, call: CallOptions & { view?: ListView } = {}) =>
      listAll(`${path(name)}/versions?listViewType=${call.view ?? 'ActiveOnly'}`, call),
    /** The newest version, by when it was made; undefined when there is none. */
    latestVersion: async (name: string, call: CallOptions = {}): Promise<ArmResource | undefined> => {
      const query = `${path(name)}/versions?$orderBy=${encodeURIComponent('createdtime desc')}&$top=1`;
      const answer = await send({ method: 'GET', path: query, signal: call.signal });
      return asList(asObject(answer.body)['value'])[0] as ArmResource | undefined;
    },
    putVersion: (name: string, version: string, body: ArmBody, write: WriteOptions = {}) =>
      put(versionPath(name, version), body, write),
    startPendingUpload: async (name: string, version: string, call: CallOptions = {}): Promise<PendingUpload> => {
      const request = { pendingUploadType: 'TemporaryBlobReference' };
      const answer = await post(`${versionPath(name, version)}/startPendingUpload`, request, call);
      const blob = asObject(asObject(answer.body)['blobReferenceForConsumption']);
      const sasUri = String(asObject(blob['credential'])['sasUri'] ?? '');
      return { blobUri: String(blob['blobUri'] ?? sasUri.split('?')[0]), sasUri };
    },
  };
}
