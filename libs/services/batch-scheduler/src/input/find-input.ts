import { PlatformError } from '@mooring/errors';
import type { ArtifactStore } from '@mooring/storage';
import type { JobInput } from '@mooring/domain';
import { placeOfUri } from '../domain/place-of-uri.ts';
import type { Catalog } from '../ports.ts';

/** Where a job's input is on this machine. */
export interface FoundInput {
  /** Absolute path of a file, or of a folder. */
  root: string;
  /** Of the files below `root` only those that match: `**` any folders, `*` within a name. */
  glob?: string;
}

const globMark = /[*?[{]/;

/** `fetch` gives the path of a file of the web once it is here. Rejects with `not_found` or `invalid_argument`, for people. */
export async function findInput(
  { uri }: Pick<JobInput, 'uri'>,
  catalog: Catalog,
  store: Pick<ArtifactStore, 'localPath'>,
  fetch: (url: URL) => Promise<string>,
): Promise<FoundInput> {
  const place = placeOfUri(uri);
  if (place.kind === 'web') return { root: await fetch(place.url) };
  if (place.kind === 'data') {
    const version = place.version ?? (await catalog.latest('data', place.name));
    const data = version === undefined ? undefined : await catalog.asset('data', `${place.name}/${version}`);
    if (data === undefined) throw missing(uri, 'there is no such data asset');
    if (data.type === 'mltable') throw missing(uri, 'an mltable is no input of a batch job; use a file or a folder');
    const slash = data.path.indexOf('/');
    return { root: await store.localPath(data.path.slice(0, slash), data.path.slice(slash + 1)) };
  }
  const { folder, glob } = patternOf(place.path);
  const root = await store.localPath(place.container, folder);
  return { root, ...(glob === undefined ? {} : { glob }) };
}

/** The part of a path without wildcards, and what comes behind it. */
export function patternOf(path: string): { folder: string; glob?: string } {
  const segments = path.split('/');
  const first = segments.findIndex((segment) => globMark.test(segment));
  if (first < 0) return { folder: path };
  return { folder: segments.slice(0, first).join('/'), glob: segments.slice(first).join('/') };
}

function missing(uri: string, why: string): PlatformError {
  return new PlatformError('not_found', 'INPUT_NOT_FOUND', `input '${uri.slice(0, 200)}': ${why}`);
}
