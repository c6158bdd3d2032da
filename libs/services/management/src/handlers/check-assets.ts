import type { SpecProblem } from '@mooring/domain';
import { sha256Tree } from '@mooring/storage';
import type { ManagementPorts } from '../ports.ts';
import { refusedName } from './check-deployment.ts';
import type { FurtherCheck } from './resource.ts';

/** Where clients put every upload: as one asset it would keep all further ones out. */
const uploadsFolder = 'LocalUpload';
const digestMs = 3_000;
const aFolder = { kind: 'folder', words: 'a folder' } as const;

/**
 * Files that an asset refers to must have been uploaded, and be what the asset needs: a file or a folder. They are sealed
 * then, so that what is deployed is what was registered.
 */
export function createCheckModel(ports: ManagementPorts): FurtherCheck<'model'> {
  return async (spec, problems) => {
    const isFolder = spec.type === 'mlflow_model' || spec.type === 'triton_model';
    const wanted = isFolder ? ({ kind: 'folder', words: `a folder, as ${spec.type} has it` } as const) : undefined;
    await notePlace(ports, spec.path, wanted, (problem) => problems.push({ path: 'properties.modelUri', ...problem }));
    if (problems.length === 0) await seal(ports, spec.path);
    return spec;
  };
}

export function createCheckEnvironment(ports: ManagementPorts): FurtherCheck<'environment'> {
  return async (spec, problems) => {
    if (spec.build !== undefined) {
      await notePlace(ports, spec.build.contextPath, aFolder, (problem) =>
        problems.push({ path: 'properties.build.contextUri', ...problem }),
      );
      if (problems.length === 0) await seal(ports, spec.build.contextPath);
    }
    return spec;
  };
}

export function createCheckCode(ports: ManagementPorts): FurtherCheck<'code'> {
  return async (spec, problems) => {
    await notePlace(ports, spec.path, aFolder, (problem) => problems.push({ path: 'properties.codeUri', ...problem }));
    if (problems.length === 0) await seal(ports, spec.path);
    return spec;
  };
}

/**
 * Data may be an upload of its own, which is sealed like code; or a place that others go on adding to, which it only
 * points at: what a job reads of it is in the job's own listing.
 */
export function createCheckData(ports: ManagementPorts): FurtherCheck<'data'> {
  return async (spec, problems) => {
    const kind = spec.type === 'uri_file' ? 'file' : 'folder';
    await notePlace(ports, spec.path, { kind, words: `a ${kind}, as ${spec.type} has it` }, (problem) =>
      problems.push({ path: 'properties.dataUri', ...problem }),
    );
    if (problems.length === 0 && spec.path.split('/')[1] === uploadsFolder) await ports.store.seal(spec.path);
    return spec;
  };
}

/** An empty place was a problem before. */
async function notePlace(
  { store }: ManagementPorts,
  place: string,
  wanted: { kind: 'file' | 'folder'; words: string } | undefined,
  note: (problem: Omit<SpecProblem, 'path'>) => void,
): Promise<void> {
  if (place === '') return;
  const found = await store.kindOf(place).catch(refusedName);
  if (found === undefined) {
    note({ problem: `nothing was uploaded to '${place}'`, expected: 'the place of a finished upload' });
  } else if (wanted !== undefined && found !== wanted.kind) {
    note({ problem: `'${place}' is a ${found}`, expected: wanted.words });
  } else if (place.split('/').slice(1).join('/') === uploadsFolder) {
    note({ problem: `'${place}' holds the uploads of everybody`, expected: 'the place of one upload' });
  }
}

/**
 * Nothing there changes from now on; the digest lets the controller see when something did all the same. The caller does
 * not wait for that of very much content: the controller records it then, at the first deployment.
 */
async function seal({ store }: ManagementPorts, place: string): Promise<void> {
  if ((await store.seal(place)) !== undefined) return;
  const [container = '', ...path] = place.split('/');
  const inTime = AbortSignal.timeout(digestMs);
  try {
    await store.recordDigest(place, await sha256Tree(await store.localPath(container, path.join('/')), inTime));
  } catch (thrown) {
    if (!inTime.aborted) throw thrown;
  }
}
