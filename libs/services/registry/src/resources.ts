import type { Resource as ResourceMessage } from '@mooring/contracts/registry';
import type { Operation, ResourceKind, SpecByKind } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { Entry } from '@mooring/messaging';
import { isGone, type StoredDocument } from './domain/document.ts';
import { addressOf } from './domain/keys.ts';
import type { Revision } from './domain/operation.ts';
import type { Progress, ProgressStore, ResourceStore, VariableVault } from './ports.ts';

/** A document with the revision it was read at. */
export interface Read<K extends ResourceKind = ResourceKind> {
  document: StoredDocument<K>;
  revision: number;
}

/** The documents, as the handlers read and write them. */
export interface Resources {
  get<K extends ResourceKind>(kind: K, storeKey: string): Promise<Read<K> | undefined>;
  /** Everything below a store prefix, in no order. */
  list<K extends ResourceKind>(kind: K, prefix: string): Promise<Read<K>[]>;
  /** Oldest first. */
  history(storeKey: string): Promise<Revision[]>;
  /**
   * Writes over exactly `over`, the revision that was read (undefined: the key never had one). Resolves with the new
   * revision, or with undefined when somebody else wrote in between and nothing was changed.
   */
  write(storeKey: string, document: StoredDocument, over: number | undefined): Promise<number | undefined>;
  /** Deletes exactly `over`; false when somebody else wrote in between. */
  remove(storeKey: string, over: number): Promise<boolean>;
  /** The spec with its environment variables opened. */
  openSpec<K extends ResourceKind>(document: StoredDocument<K>): Promise<SpecByKind[K]>;
  /** The operation with what was last reported of its progress. */
  operationOf(document: StoredDocument): Promise<Operation>;
  report(storeKey: string, progress: Progress): Promise<void>;
  /** As callers get it: secrets opened, progress filled in. */
  message(read: Read): Promise<ResourceMessage>;
}

export function createResources(store: ResourceStore, progress: ProgressStore, vault: VariableVault): Resources {
  const openSpec: Resources['openSpec'] = async ({ kind, key, spec, sealed }) => {
    if (sealed === undefined) return spec;
    const { storeKey } = addressOf(kind, ...key.split('/'));
    return { ...spec, environmentVariables: await vault.open(storeKey, sealed) };
  };
  const progressOf = async (document: StoredDocument): Promise<Progress | undefined> => {
    if (document.operation.status !== 'InProgress') return undefined;
    const { storeKey } = addressOf(document.kind, ...document.key.split('/'));
    const reported = await progress.get(storeKey);
    return reported?.value.generation === document.generation ? reported.value : undefined;
  };
  return {
    get: async (_kind, storeKey) => readOf(await store.get(storeKey)),
    list: async <K extends ResourceKind>(_kind: K, prefix: string) => {
      const entries = await store.list(prefix);
      return [...entries.values()].map((entry) => readOf<K>(entry)).filter((read) => read !== undefined);
    },
    history: (storeKey) => store.history(storeKey),
    write: (storeKey, document, over) =>
      unlessOvertaken(over === undefined ? store.create(storeKey, document) : store.update(storeKey, document, over)),
    remove: async (storeKey, over) =>
      (await unlessOvertaken(store.delete(storeKey, over).then(() => true as const))) ?? false,
    openSpec,
    operationOf: async (document) => withProgress(document.operation, await progressOf(document)),
    report: async (storeKey, reported) => void (await progress.put(storeKey, reported)),
    message: async ({ document, revision }) => {
      const { sealed: _sealed, ...rest } = document;
      const [spec, reported] = await Promise.all([openSpec(document), progressOf(document)]);
      const warnings = reported === undefined || reported.warnings.length === 0 ? {} : { warnings: reported.warnings };
      const operation = withProgress(document.operation, reported);
      return {
        kind: document.kind,
        key: document.key,
        documentJson: JSON.stringify({ ...rest, spec, operation, ...warnings }),
        etag: String(revision),
      };
    },
  };
}

function withProgress(operation: Operation, reported: Progress | undefined): Operation {
  if (reported === undefined) return operation;
  return { ...operation, step: reported.step, percentComplete: reported.percentComplete };
}

/** What a compare-and-set write gives, or undefined when it met another revision than it was made for. */
async function unlessOvertaken<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write;
  } catch (thrown) {
    const { code } = PlatformError.from(thrown);
    if (code === 'aborted' || code === 'already_exists') return undefined;
    throw thrown;
  }
}

function readOf<K extends ResourceKind>(entry: Entry<StoredDocument> | undefined): Read<K> | undefined {
  if (entry === undefined || isGone(entry.value)) return undefined;
  // The kind is part of the store key, so a document below it is of that kind.
  return { document: entry.value as StoredDocument<K>, revision: entry.revision };
}
