import { isAssetKind, type Operation, type Resource, type ResourceKind, type SpecByKind } from '@mooring/domain';
import type { Address } from './keys.ts';
import { operationId } from './operation.ts';

/**
 * A resource as it lies in the store. `spec.environmentVariables` is empty there: the values are in `sealed`, readable
 * only with the operator's master key.
 */
export type StoredDocument<K extends ResourceKind = ResourceKind> = Resource<K> & { sealed?: string };

/** Who does it, when, and the id of the operation that it starts. */
export interface Act {
  principal: string;
  at: string;
  uuid: string;
}

/** Endpoints and deployments are made real by the controller; assets are what they are as soon as they are stored. */
export function needsController(kind: ResourceKind): boolean {
  return !isAssetKind(kind);
}

function begin(address: Pick<Address, 'kind' | 'key'>, verb: Operation['verb'], act: Act): Operation {
  const id = operationId(address, act.uuid);
  const operation: Operation = { id, verb, status: 'InProgress', startedAt: act.at };
  return needsController(address.kind) ? operation : { ...operation, status: 'Succeeded', endedAt: act.at };
}

/** A new resource. `generation` is past every one that the key had before, so that old reports cannot hit it. */
export function createdDocument(
  address: Pick<Address, 'kind' | 'key'>,
  content: { spec: SpecByKind[ResourceKind]; sealed?: string },
  generation: number,
  act: Act,
): StoredDocument {
  return {
    kind: address.kind,
    key: address.key,
    ...content,
    state: needsController(address.kind) ? 'Creating' : 'Succeeded',
    generation,
    operation: begin(address, 'create', act),
    system: {
      createdAt: act.at,
      createdBy: act.principal,
      lastModifiedAt: act.at,
      lastModifiedBy: act.principal,
    },
  };
}

/** The next generation with another spec; whatever operation was running is superseded by it. */
export function updatedDocument(
  current: StoredDocument,
  content: { spec: SpecByKind[ResourceKind]; sealed?: string },
  act: Act,
): StoredDocument {
  const { sealed: _sealed, warnings: _warnings, ...rest } = current;
  return {
    ...rest,
    ...content,
    state: needsController(current.kind) ? 'Updating' : 'Succeeded',
    generation: current.generation + 1,
    operation: begin(current, 'update', act),
    system: { ...current.system, lastModifiedAt: act.at, lastModifiedBy: act.principal },
  };
}

/**
 * Whether the document only keeps the end of an asset's delete: nobody has to take an asset down, so for every reader
 * it is gone at once.
 */
export function isGone({ kind, state }: StoredDocument): boolean {
  return state === 'Deleting' && !needsController(kind);
}

/** The next generation, marked for the controller to take down. */
export function deletingDocument(current: StoredDocument, act: Act): StoredDocument {
  return {
    ...current,
    state: 'Deleting',
    generation: current.generation + 1,
    operation: begin(current, 'delete', act),
    system: { ...current.system, lastModifiedAt: act.at, lastModifiedBy: act.principal },
  };
}

export interface EndReport {
  status: 'Succeeded' | 'Failed';
  error?: { code: string; message: string };
  warnings: readonly string[];
  at: string;
}

/** The document with its operation ended. */
export function endedDocument(current: StoredDocument, report: EndReport): StoredDocument {
  const { step: _step, percentComplete: _percent, error: _error, ...operation } = current.operation;
  const { warnings: _warnings, ...rest } = current;
  return {
    ...rest,
    state: report.status,
    operation: {
      ...operation,
      status: report.status,
      endedAt: report.at,
      ...(report.error === undefined ? {} : { error: report.error }),
    },
    ...(report.warnings.length === 0 ? {} : { warnings: report.warnings }),
  };
}
