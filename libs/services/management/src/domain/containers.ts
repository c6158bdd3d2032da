import type { AssetKind, ModelVersionSpec, Stored } from '@mooring/domain';
import { newestOf, nextVersionAfter, versionOf, type ListQuery } from './listing.ts';

/** All versions of one asset. Containers are not stored: they are what their versions say together. */
export interface AssetContainer {
  name: string;
  /** At least one. */
  versions: readonly Stored<AssetKind>[];
  isArchived: boolean;
  /** Made in passing for a deployment, named by its content. */
  isAnonymous: boolean;
  latestVersion: string | undefined;
  nextVersion: string;
  newest: Stored<AssetKind>;
}

/** By name, in its order. Names count without regard to case; the oldest version's spelling is the container's. */
export function containersOf(versions: readonly Stored<AssetKind>[]): AssetContainer[] {
  const byName = Map.groupBy(versions, ({ key }) => nameOf(key).toLowerCase());
  return [...byName.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => containerOf(group));
}

function containerOf(versions: Stored<AssetKind>[]): AssetContainer {
  const byAge = versions.toSorted((a, b) => (a.system.createdAt < b.system.createdAt ? -1 : 1));
  const latest = newestOf(versions);
  const newest = latest ?? (byAge.at(-1) as Stored<AssetKind>);
  return {
    name: nameOf(byAge[0]?.key ?? ''),
    versions,
    isArchived: latest === undefined,
    isAnonymous: versions.every(({ spec }) => spec.isAnonymous),
    latestVersion: latest === undefined ? undefined : versionOf(latest),
    nextVersion: nextVersionAfter(versions),
    newest,
  };
}

/** Anonymous ones are never listed: nobody gave them their names. */
export function isContainerInView({ isArchived, isAnonymous }: AssetContainer, view: ListQuery['view']): boolean {
  return !isAnonymous && (view === 'All' || isArchived === (view === 'ArchivedOnly'));
}

/** Code of the same content, whatever its name (azureml-contract 10.6.9). */
export function hasHash({ spec }: Stored, hash: string): boolean {
  const known = (spec as Pick<ModelVersionSpec, 'properties'>).properties['hash_sha256'];
  return known !== undefined && known.toLowerCase() === hash.toLowerCase();
}

function nameOf(key: string): string {
  return key.slice(0, key.indexOf('/'));
}
