import type { ArmBody } from '@mooring/azureml/yaml';
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

interface ListOptions extends CallOptions {
  /** The first so many; default: all of them. */
  max?: number | undefined;
  root?: string;
}

export interface WriteOptions extends CallOptions, WaitOptions {
  ifMatch?: string | undefined;
  /** False: resolve with the first answer while the operation goes on. Default true. */
  wait?: boolean | undefined;
}

const apiVersion = '2024-04-01';
const pagesMax = 1000;

export type ArmRest = ReturnType<typeof createArmRest>;

/** What ARM does alike with every kind of resource; paths are those below the workspace. */
export function createArmRest(options: HttpOptions & { workspace?: Workspace | undefined }) {
  const http = createHttp(options);
  const base = workspacePath(options.workspace);
  /** `root`: what stands before the workspace's own path. */
  const send = (call: Call, root = ''): Promise<Answer> => {
    const mark = call.path.includes('?') ? '&' : '?';
    return http.send({ ...call, path: `${root}${base}${call.path}${mark}api-version=${apiVersion}` });
  };
  const get = async (path: string, { signal }: CallOptions): Promise<StoredResource> =>
    stored(await send({ method: 'GET', path, signal }));
  const listAll = async (path: string, { signal, max, root }: ListOptions): Promise<ArmResource[]> => {
    const items: unknown[] = [];
    let answer = await send({ method: 'GET', path, signal }, root);
    for (let page = 0; page < pagesMax; page += 1) {
      const { value, nextLink } = asObject(answer.body);
      items.push(...asList(value));
      if (typeof nextLink !== 'string' || nextLink === '' || items.length >= (max ?? Number.POSITIVE_INFINITY)) break;
      answer = await http.send({ method: 'GET', path: http.pathOf(nextLink), signal });
    }
    return items.slice(0, max) as ArmResource[];
  };
  /** Resolves when the operation that `answer` tells of has ended. */
  const operationOf = (answer: Answer, path: string, write: WriteOptions): Promise<void> =>
    waitForOperation(http, answer, `${base}${path}?api-version=${apiVersion}`, write);
  const put = async (path: string, body: ArmBody, write: WriteOptions): Promise<StoredResource> => {
    const headers = write.ifMatch === undefined ? {} : { 'if-match': write.ifMatch };
    const answer = await send({ method: 'PUT', path, body, headers, signal: write.signal, deadlineMs: 60_000 });
    if (write.wait === false) return stored(answer);
    await operationOf(answer, path, write);
    return get(path, write);
  };
  /** False when there was nothing to delete. */
  const remove = async (path: string, write: WriteOptions): Promise<boolean> => {
    const answer = await send({ method: 'DELETE', path, signal: write.signal });
    if (answer.status === 204) return false;
    if (write.wait !== false && (answer.status === 202 || answer.headers.has('azure-asyncoperation'))) {
      await operationOf(answer, path, write);
    }
    return true;
  };
  const post = async (
    path: string,
    body: unknown,
    { signal, deadlineMs }: CallOptions & { deadlineMs?: number },
  ): Promise<Answer> =>
    send({ method: 'POST', path, body, signal, ...(deadlineMs === undefined ? {} : { deadlineMs }) });
  return { base, send, get, listAll, put, remove, post, operationOf };
}

function stored(answer: Answer): StoredResource {
  const body = asObject(answer.body);
  return {
    body: { ...body, properties: asObject(body['properties']) },
    etag: answer.headers.get('etag') ?? textOf(body['etag']),
  };
}
