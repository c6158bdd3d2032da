import {
  assetNameRule,
  endpointNameRule,
  isAssetName,
  isEndpointName,
  kindWords,
  kvKey,
  notFound,
  resourceKinds,
  type ResourceKind,
} from '@mooring/domain';
import { PlatformError, type FieldProblem } from '@mooring/errors';

/** Where one resource lives: its kind and path of names, as the caller wrote them, and its key in the bucket. */
export interface Address {
  kind: ResourceKind;
  names: readonly string[];
  /** `cars/luca` */
  key: string;
  /** `online-deployment.cars.luca` */
  storeKey: string;
}

interface Level {
  field: string;
  accepts: (name: string) => boolean;
  rule: string;
}

const endpoint: Level = { field: 'endpointName', accepts: isEndpointName, rule: endpointNameRule };
const name: Level = { field: 'name', accepts: isEndpointName, rule: endpointNameRule };
const assetLevels: readonly Level[] = [
  { field: 'name', accepts: isAssetName, rule: assetNameRule },
  { field: 'version', accepts: isAssetName, rule: assetNameRule },
];

const levels: Readonly<Record<ResourceKind, readonly Level[]>> = {
  'online-endpoint': [name],
  'online-deployment': [endpoint, name],
  'batch-endpoint': [name],
  'batch-deployment': [endpoint, name],
  model: assetLevels,
  environment: assetLevels,
  code: assetLevels,
  data: assetLevels,
  component: assetLevels,
};

export function isKind(text: string): text is ResourceKind {
  return (resourceKinds as readonly string[]).includes(text);
}

export function readKind(kind: string): ResourceKind {
  if (isKind(kind)) return kind;
  throw PlatformError.invalid('a resource', [
    { path: 'kind', problem: 'is not a kind of resource', expected: `one of: ${resourceKinds.join(', ')}` },
  ]);
}

/** The address, and what is wrong with its names; with problems it must not be written to. */
export function readAddress(kindText: string, key: string): { address: Address; problems: FieldProblem[] } {
  const kind = readKind(kindText);
  const names = key.split('/');
  const wanted = levels[kind];
  if (names.length !== wanted.length || names.includes('')) {
    throw PlatformError.invalid('a resource', [
      { path: 'key', problem: `is not the key of a ${kind}`, expected: wanted.map((level) => level.field).join('/') },
    ]);
  }
  const problems = wanted.flatMap((level, index) =>
    level.accepts(names[index] ?? '') ? [] : [{ path: level.field, problem: 'is not allowed', expected: level.rule }],
  );
  return { address: addressOf(kind, ...names), problems };
}

/** The address of a resource that is asked for, not made: what no resource can be called is just not there. */
export function lookUpAddress(kind: string, key: string): Address {
  const { address, problems } = readAddress(kind, key);
  if (problems.length > 0) throw notFound(address.kind, key);
  return address;
}

export function addressOf(kind: ResourceKind, ...names: readonly string[]): Address {
  return { kind, names, key: names.join('/'), storeKey: kvKey(kind, ...names) };
}

/**
 * Everything of a kind, or what is below `parent`, as a prefix of store keys. Undefined when nothing can be below it:
 * such a name must not get to the store, which cuts connections over keys that are too long.
 */
export function storePrefix(kind: ResourceKind, parent: string): string | undefined {
  if (parent === '') return kvKey(kind);
  const names = parent.split('/');
  const wanted = levels[kind];
  const possible = names.length <= wanted.length && names.every((part, index) => wanted[index]?.accepts(part) === true);
  return possible ? kvKey(kind, ...names) : undefined;
}

/** A change to what is on its way out. */
export function beingDeleted({ kind, key }: Pick<Address, 'kind' | 'key'>): PlatformError {
  return new PlatformError(
    'aborted',
    'BEING_DELETED',
    `the ${kindWords(kind)} '${key}' is being deleted; repeat the change when it is gone`,
    { retryAfterMs: 2_000 },
  );
}
