import type { ArmBody } from '@mooring/azureml/yaml';
import { PlatformError } from '@mooring/errors';
import { asList, asObject, textOf } from './arm-error.ts';
import { createHttp, type Answer, type Call, type HttpOptions } from './http.ts';
import { waitForOperation, type WaitOptions } from './operations.ts';
import { workspacePath, type Workspace } from './workspace.ts';

/** A resource as ARM answers it. */
export interface ArmResource {
  id?: string;
  name?: string;
  type?: string;
  tags?: Record<string, string>;
  properties: Record<string, unknown>;
  [key: string]: unknown;
}

export interface StoredResource {
  body: ArmResource;
  /** Give it back as `ifMatch` to change only what was read. */
  etag: string | undefined;
}

export interface CallOptions {
  signal?: AbortSignal | undefined;
}

export interface WriteOptions extends CallOptions, WaitOptions {
  ifMatch?: string | undefined;
  /** False: resolve with the first answer while the operation goes on. Default true. */
  wait?: boolean | undefined;
}

export interface EndpointKeys {
  primaryKey: string;
  secondaryKey: string;
}

export type AssetCollection = 'models' | 'environments' | 'codes';

/** Where the files of an asset are to be sent. */
export interface PendingUpload {
  /** Address of the container, as assets refer to it. */
  blobUri: string;
  /** The same with the right to write in its query. */
  sasUri: string;
}

export type ManagementClient = ReturnType<typeof createManagementClient>;

const apiVersion = '2024-04-01';
const pagesMax = 1000;

/**
 * The management REST, in ARM's shape (azureml-contract 3), for the kinds that exist. Every call has a deadline, takes
 * a signal, and rejects with the server's PlatformError.
 */
export function createManagementClient(options: HttpOptions & { workspace?: Workspace | undefined }) {
  const http = createHttp(options);
  const base = workspacePath(options.workspace);
  const send = (call: Call): Promise<Answer> => {
    const mark = call.path.includes('?') ? '&' : '?';
    return http.send({ ...call, path: `${base}${call.path}${mark}api-version=${apiVersion}` });
  };
  const get = async (path: string, { signal }: CallOptions): Promise<StoredResource> =>
    stored(await send({ method: 'GET', path, signal }));
  const listAll = async (path: string, { signal }: CallOptions): Promise<ArmResource[]> => {
    const items: unknown[] = [];
    let answer = await send({ method: 'GET', path, signal });
    for (let page = 0; page < pagesMax; page += 1) {
      const { value, nextLink } = asObject(answer.body);
      items.push(...asList(value));
      if (typeof nextLink !== 'string' || nextLink === '') break;
      answer = await http.send({ method: 'GET', path: http.pathOf(nextLink), signal });
    }
    return items as ArmResource[];
  };
  const put = async (path: string, body: ArmBody, write: WriteOptions): Promise<StoredResource> => {
    const headers = write.ifMatch === undefined ? {} : { 'if-match': write.ifMatch };
    const answer = await send({ method: 'PUT', path, body, headers, signal: write.signal, deadlineMs: 60_000 });
    if (write.wait === false) return stored(answer);
    await waitForOperation(http, answer, `${base}${path}?api-version=${apiVersion}`, write);
    return get(path, write);
  };
  /** False when there was nothing to delete. */
  const remove = async (path: string, write: WriteOptions): Promise<boolean> => {
    const answer = await send({ method: 'DELETE', path, signal: write.signal });
    if (answer.status === 204) return false;
    if (write.wait !== false && (answer.status === 202 || answer.headers.has('azure-asyncoperation'))) {
      await waitForOperation(http, answer, `${base}${path}?api-version=${apiVersion}`, write);
    }
    return true;
  };
  const post = async (path: string, body: unknown, { signal }: CallOptions): Promise<Answer> =>
    send({ method: 'POST', path, body, signal });

  const endpointPath = (name: string): string => `/onlineEndpoints/${segment(name)}`;
  const deploymentPath = (endpoint: string, name: string): string =>
    `${endpointPath(endpoint)}/deployments/${segment(name)}`;

  return {
    workspacePath: base,
    onlineEndpoints: {
      get: (name: string, call: CallOptions = {}) => get(endpointPath(name), call),
      list: (call: CallOptions = {}) => listAll('/onlineEndpoints', call),
      put: (name: string, body: ArmBody, write: WriteOptions = {}) => put(endpointPath(name), body, write),
      delete: (name: string, write: WriteOptions = {}) => remove(endpointPath(name), write),
      listKeys: async (name: string, call: CallOptions = {}): Promise<EndpointKeys> =>
        (await post(`${endpointPath(name)}/listKeys`, {}, call)).body as EndpointKeys,
      regenerateKeys: async (name: string, key: 'Primary' | 'Secondary', write: WriteOptions = {}): Promise<void> => {
        const path = `${endpointPath(name)}/regenerateKeys`;
        const answer = await post(path, { keyType: key }, write);
        if (write.wait !== false && answer.headers.has('azure-asyncoperation'))
          await waitForOperation(http, answer, base, write);
      },
      mirrorReport: (name: string, call: CallOptions = {}) => listAll(`${endpointPath(name)}/mirrorReport`, call),
      revisions: (name: string, call: CallOptions = {}) => listAll(`${endpointPath(name)}/revisions`, call),
    },
    onlineDeployments: {
      get: (endpoint: string, name: string, call: CallOptions = {}) => get(deploymentPath(endpoint, name), call),
      list: (endpoint: string, call: CallOptions = {}) => listAll(`${endpointPath(endpoint)}/deployments`, call),
      put: (endpoint: string, name: string, body: ArmBody, write: WriteOptions = {}) =>
        put(deploymentPath(endpoint, name), body, write),
      delete: (endpoint: string, name: string, write: WriteOptions = {}) =>
        remove(deploymentPath(endpoint, name), write),
      /** The last `tail` lines. */
      getLogs: async (
        endpoint: string,
        name: string,
        log: { tail: number; containerType: 'InferenceServer' | 'StorageInitializer' },
        call: CallOptions = {},
      ): Promise<string> => {
        const answer = await post(`${deploymentPath(endpoint, name)}/getLogs`, log, call);
        return textOf(asObject(answer.body)['content']) ?? '';
      },
    },
    assets: (collection: AssetCollection) => {
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
    },
    auditEvents: async (top: number, call: CallOptions = {}): Promise<Record<string, unknown>[]> => {
      const answer = await send({ method: 'GET', path: `/auditEvents?$top=${top}`, signal: call.signal });
      return asList(asObject(answer.body)['value']).map(asObject);
    },
  };
}

export type ListView = 'ActiveOnly' | 'ArchivedOnly' | 'All';

/** A name as one segment of a path. Dots alone would lead to another path: URLs are resolved like folders. */
function segment(name: string): string {
  if (/^\.{0,2}$/.test(name) || name.length > 1024) {
    const shown = name.length > 60 ? `${name.slice(0, 57)}...` : name;
    throw new PlatformError('invalid_argument', 'BAD_NAME', `'${shown}' cannot be the name of a resource`);
  }
  return encodeURIComponent(name.toWellFormed());
}

function stored(answer: Answer): StoredResource {
  const body = asObject(answer.body);
  return {
    body: { ...body, properties: asObject(body['properties']) },
    etag: answer.headers.get('etag') ?? textOf(body['etag']),
  };
}
