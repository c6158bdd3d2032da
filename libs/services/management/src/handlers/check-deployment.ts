import { posix } from 'node:path';
import { armPathOf } from '@mooring/azureml/arm';
import type { AssetKind, DeploymentKind, SpecByKind, SpecProblem } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { newestOf } from '../domain/listing.ts';
import type { ManagementPorts } from '../ports.ts';
import { listAll } from './listing.ts';
import type { FurtherCheck } from './resource.ts';

/**
 * `name@latest` becomes the newest version, and the scoring script must be there and parse: looked at before anything is
 * stored. Whether the versions that are named exist is the registry's to say.
 */
export function createCheckDeployment<K extends DeploymentKind>(ports: ManagementPorts, kind: K): FurtherCheck<K> {
  return async (spec, problems) => {
    const note = (field: string, problem: Problem): void =>
      void problems.push({ path: armPathOf(kind, field), ...problem });
    const resolved: Sources = {};
    for (const source of ['model', 'environment', 'component'] as const) {
      const key = (spec as Sources)[source];
      if (key === undefined) continue;
      resolved[source] = await resolveLatest(ports, source, key, (problem) => note(source, problem));
    }
    const { code } = spec as Sources;
    if (code !== undefined) {
      const codeKey = await resolveLatest(ports, 'code', code.codeKey, (problem) => note('code.codeKey', problem));
      const scoringScript = posix.normalize(code.scoringScript);
      const problem = await scriptProblem(ports, codeKey, scoringScript);
      if (problem !== undefined) note('code.scoringScript', problem);
      resolved.code = { codeKey, scoringScript };
    }
    return { ...spec, ...resolved } as SpecByKind[K];
  };
}

/** What deployments are made of, whatever their kind; none has all of it. */
interface Sources {
  model?: string;
  environment?: string;
  component?: string;
  code?: { codeKey: string; scoringScript: string };
}

type Problem = Omit<SpecProblem, 'path'>;

async function resolveLatest(
  { registry }: ManagementPorts,
  kind: AssetKind,
  key: string,
  note: (problem: Problem) => void,
): Promise<string> {
  const name = /^(.+)@latest$/.exec(key)?.[1];
  if (name === undefined) return key;
  const newest = newestOf(await listAll(registry, kind, name));
  if (newest !== undefined) return newest.key;
  note({ problem: `there is no ${kind} '${name}'`, expected: `a registered ${kind}` });
  return key;
}

/** What is wrong with the scoring script; undefined also when the code itself is not there. */
async function scriptProblem(
  { registry, store, checkScript }: ManagementPorts,
  codeKey: string,
  script: string,
): Promise<Problem | undefined> {
  const expected = 'the path of a Python file inside the code folder';
  if (!isInside(script)) return { problem: 'leads out of the code folder', expected };
  if (codeKey.endsWith('@latest')) return undefined;
  const code = await registry.get('code', codeKey).catch((thrown: unknown) => {
    if (thrown instanceof PlatformError && thrown.code === 'not_found') return undefined;
    throw thrown;
  });
  if (code === undefined) return undefined;
  const place = `${code.spec.path}/${script}`;
  const found = await store.kindOf(place).catch(refusedName);
  if (found !== 'file') {
    const problem = found === 'folder' ? `'${script}' is a folder` : `there is no '${script}' in code '${codeKey}'`;
    return { problem, expected };
  }
  const [container = '', ...path] = place.split('/');
  const wrong = await checkScript(await store.localPath(container, path.join('/')));
  if (wrong === undefined) return undefined;
  return { problem: `${script}: ${wrong}`, expected: 'a script that Python can parse' };
}

function isInside(script: string): boolean {
  return script !== '' && script !== '.' && !script.startsWith('/') && script.split('/')[0] !== '..';
}

/** Names that the store does not take are of files that it does not have. */
export function refusedName(thrown: unknown): undefined {
  if (thrown instanceof PlatformError && thrown.code === 'invalid_argument') return undefined;
  throw thrown;
}
