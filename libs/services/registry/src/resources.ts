import type { Resource as ResourceMessage } from '@mooring/contracts/registry';
import type { Operation, ResourceKind, SpecByKind } from '@mooring/domain';
import type { Entry } from '@mooring/messaging';
import type { StoredDocument } from './domain/document.ts';
import { addressOf } from './domain/keys.ts';
import type { ProgressStore, ResourceStore, VariableVault } from './ports.ts';

/** A document with the revision it was read at. */
export interface Read<K extends ResourceKind = ResourceKind> {
  document: StoredDocument<K>;
  revision: number;
}

/** The documents, as the handlers read them. */
export interface Resources {
  get<K extends ResourceKind>(kind: K, storeKey: string): Promise<Read<K> | undefined>;
  /** By store key. */
  list<K extends ResourceKind>(kind: K, prefix: string): Promise<Map<string, Read<K>>>;
  /** The spec with its environment variables opened. */
  openSpec<K extends ResourceKind>(document: StoredDocument<K>): Promise<SpecByKind[K]>;
  /** The operation with what was last reported of its progress. */
  operationOf(document: StoredDocument): Promise<Operation>;
  /** As callers get it: secrets opened, progress filled in. */
  message(read: Read): Promise<ResourceMessage>;
}

export function createResources(store: ResourceStore, progress: ProgressStore, vault: VariableVault): Resources {
  const openSpec: Resources['openSpec'] = async ({ kind, key, spec, sealed }) => {
    if (sealed === undefined) return spec;
    const { storeKey } = addressOf(kind, ...key.split('/'));
    return { ...spec, environmentVariables: await vault.open(storeKey, sealed) };
  };
  const operationOf = async (document: StoredDocument): Promise<Operation> => {
    const { operation } = document;
    if (operation.status !== 'InProgress') return operation;
    const { storeKey } = addressOf(document.kind, ...document.key.split('/'));
    const reported = await progress.get(storeKey);
    if (reported?.value.generation !== document.generation) return operation;
    return { ...operation, step: reported.value.step, percentComplete: reported.value.percentComplete };
  };
  return {
    get: async (_kind, storeKey) => readOf(await store.get(storeKey)),
    list: async (_kind, prefix) => {
      const entries = await store.list(prefix);
      return new Map([...entries].map(([key, entry]) => [key, readOf(entry)]));
    },
    openSpec,
    operationOf,
    message: async ({ document, revision }) => {
      const { sealed: _sealed, ...rest } = document;
      const [spec, operation] = await Promise.all([openSpec(document), operationOf(document)]);
      return {
        kind: document.kind,
        key: document.key,
        documentJson: JSON.stringify({ ...rest, spec, operation }),
        etag: String(revision),
      };
    },
  };
}

function readOf<K extends ResourceKind>(entry: Entry<StoredDocument>): Read<K>;
function readOf<K extends ResourceKind>(entry: Entry<StoredDocument> | undefined): Read<K> | undefined;
function readOf<K extends ResourceKind>(entry: Entry<StoredDocument> | undefined): Read<K> | undefined {
  // The kind is part of the store key, so a document below it is of that kind.
  return entry && { document: entry.value as StoredDocument<K>, revision: entry.revision };
}
