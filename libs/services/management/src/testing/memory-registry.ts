import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import {
  RegistryServiceService,
  type DeleteResourceResponse,
  type RegistryServiceServer,
  type Resource as ResourceMessage,
} from '@mooring/contracts/registry';
import { isEndpointName, type Operation, type Resource, type ResourceKind } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { service, startGrpcServer, unary, type GrpcServer } from '@mooring/rpc';

/** A registry in memory behind the real protocol, so that a spec can decide how operations end. */
export interface MemoryRegistry {
  server: GrpcServer;
  /** Ends the running operation of a resource. */
  end(kind: ResourceKind, key: string, status: 'Succeeded' | 'Failed', error?: Operation['error']): void;
  /** Takes a deleted resource away, as the controller's last word does. */
  finish(kind: ResourceKind, key: string): void;
  has(kind: ResourceKind, key: string): boolean;
}

interface Kept {
  resource: Resource;
  revision: number;
}

export async function startMemoryRegistry(address: string, log: Logger): Promise<MemoryRegistry> {
  const state = new State();
  const implementation: RegistryServiceServer = {
    putResource: unary(log, (request) => state.put(request)),
    getResource: unary(log, ({ kind, key }) => ({ resource: messageOf(state.get(kind, key)) })),
    listResources: unary(log, (request) => state.list(request)),
    deleteResource: unary(log, (request) => state.remove(request)),
    getOperation: unary(log, ({ operationId }) => ({ operationJson: JSON.stringify(state.operation(operationId)) })),
    listRevisions: unary(log, ({ kind, key }) => ({ revisions: state.revisions(kind, key).map(messageOf) })),
    reportOperation: unary(log, () => ({})),
    finalizeDelete: unary(log, () => ({})),
  };
  const services = [service<RegistryServiceServer>(RegistryServiceService, implementation)];
  const server = await startGrpcServer({ address, services, log, ready: () => true });
  return {
    server,
    end: (kind, key, status, error) => state.end(kind, key, status, error),
    finish: (kind, key) => state.finish(kind, key),
    has: (kind, key) => state.has(kind, key),
  };
}

class State {
  readonly #kept = new Map<string, Kept>();
  readonly #history = new Map<string, Kept[]>();
  readonly #operations = new Map<string, Operation>();
  #revision = 0;

  put(request: { kind: string; key: string; specJson: string; ifMatch: string; principal: string }) {
    const kind = request.kind as ResourceKind;
    const known = this.#kept.get(idOf(kind, request.key));
    this.#guard(request.ifMatch, known);
    const spec = JSON.parse(request.specJson) as Resource['spec'];
    if (kind === 'online-deployment') this.#checkEndpoint(request.key);
    const now = new Date().toISOString();
    const runs = kind === 'online-endpoint' || kind === 'online-deployment';
    const operation: Operation = {
      id: `${kind}.${Buffer.from(request.key).toString('base64url')}.${randomUUID()}`,
      verb: known === undefined ? 'create' : 'update',
      status: runs ? 'InProgress' : 'Succeeded',
      startedAt: now,
      ...(runs ? { step: 'thinking', percentComplete: 10 } : { endedAt: now }),
    };
    const resource: Resource = {
      kind,
      key: known?.resource.key ?? request.key,
      spec,
      state: runs ? (known === undefined ? 'Creating' : 'Updating') : 'Succeeded',
      generation: (known?.resource.generation ?? 0) + 1,
      operation,
      system: {
        createdAt: known?.resource.system.createdAt ?? now,
        createdBy: known?.resource.system.createdBy ?? request.principal,
        lastModifiedAt: now,
        lastModifiedBy: request.principal,
      },
    };
    return { resource: messageOf(this.#store(resource)), created: known === undefined, changed: true };
  }

  get(kind: string, key: string): Kept {
    const kept = this.#kept.get(idOf(kind, key));
    if (kept !== undefined) return kept;
    throw new PlatformError('not_found', `${kind.toUpperCase()}_NOT_FOUND`, `there is no ${kind} '${key}'`);
  }

  has(kind: string, key: string): boolean {
    return this.#kept.has(idOf(kind, key));
  }

  list({ kind, parent, pageSize, pageToken }: { kind: string; parent: string; pageSize: number; pageToken: string }) {
    const prefix = idOf(kind, parent === '' ? '' : `${parent}/`);
    const found = [...this.#kept.entries()]
      .filter(([id]) => id.startsWith(prefix) && id > pageToken)
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
    const page = found.slice(0, pageSize);
    const next = found.length > page.length ? (page.at(-1)?.[0] ?? '') : '';
    return { resources: page.map(([, kept]) => messageOf(kept)), nextPageToken: next };
  }

  remove({ kind, key, ifMatch }: { kind: string; key: string; ifMatch: string }): DeleteResourceResponse {
    const known = this.#kept.get(idOf(kind, key));
    if (known === undefined) return { resource: undefined };
    this.#guard(ifMatch, known);
    const runs = kind.startsWith('online');
    const operation: Operation = {
      ...known.resource.operation,
      id: `${kind}.${Buffer.from(key).toString('base64url')}.${randomUUID()}`,
      verb: 'delete',
      status: runs ? 'InProgress' : 'Succeeded',
    };
    const kept = this.#store({ ...known.resource, state: 'Deleting', operation });
    if (!runs) this.#kept.delete(idOf(kind, key));
    return { resource: messageOf(kept) };
  }

  operation(id: string): Operation {
    const operation = this.#operations.get(id);
    if (operation !== undefined) return operation;
    throw new PlatformError('not_found', 'OPERATION_NOT_FOUND', `there is no operation '${id}'`);
  }

  revisions(kind: string, key: string): Kept[] {
    this.get(kind, key);
    return (this.#history.get(idOf(kind, key)) ?? []).toReversed();
  }

  end(kind: ResourceKind, key: string, status: 'Succeeded' | 'Failed', error: Operation['error']): void {
    const { resource } = this.get(kind, key);
    const { step: _step, ...rest } = resource.operation;
    const operation: Operation = {
      ...rest,
      status,
      endedAt: new Date().toISOString(),
      ...(error === undefined ? {} : { error }),
    };
    this.#store({ ...resource, state: status, operation });
  }

  finish(kind: ResourceKind, key: string): void {
    this.end(kind, key, 'Succeeded', undefined);
    this.#kept.delete(idOf(kind, key));
  }

  #store(resource: Resource): Kept {
    this.#revision += 1;
    const kept: Kept = { resource, revision: this.#revision };
    const id = idOf(resource.kind, resource.key);
    this.#kept.set(id, kept);
    this.#history.set(id, [...(this.#history.get(id) ?? []), kept]);
    this.#operations.set(resource.operation.id, resource.operation);
    return kept;
  }

  #guard(ifMatch: string, known: Kept | undefined): void {
    if (ifMatch === '' || ifMatch === String(known?.revision)) return;
    if (ifMatch === '0' && known === undefined) return;
    if (ifMatch === '*' && known !== undefined) return;
    if (ifMatch === '0') throw new PlatformError('already_exists', 'ALREADY_EXISTS', 'it exists already');
    if (ifMatch === '*') throw new PlatformError('not_found', 'NOT_FOUND', 'it does not exist');
    throw new PlatformError('aborted', 'STALE_ETAG', 'it was changed since it was read');
  }

  #checkEndpoint(key: string): void {
    const endpoint = key.split('/')[0] ?? '';
    if (isEndpointName(endpoint) && this.has('online-endpoint', endpoint)) return;
    throw PlatformError.invalid('the online-deployment', [
      {
        path: 'endpointName',
        problem: `there is no online endpoint '${endpoint}'`,
        expected: 'an endpoint that exists',
      },
    ]);
  }
}

function idOf(kind: string, key: string): string {
  return `${kind} ${key.toLowerCase()}`;
}

function messageOf({ resource, revision }: Kept): ResourceMessage {
  const { kind, key } = resource;
  return { kind, key, documentJson: JSON.stringify(resource), etag: String(revision) };
}
