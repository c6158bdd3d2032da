import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EnvironmentVersionSpec } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { barePlan, planOfCondaFile, planOfRequirements, type EnvironmentPlan } from './environment-plan.ts';

const fileBytesMax = 256 * 1024;
const condaNames = ['conda.yaml', 'conda.yml', 'environment.yml', 'environment.yaml', 'conda_dependencies.yml'];

/** What local compute takes from an environment: Python packages, and never the image itself. */
export async function planOf(
  spec: EnvironmentVersionSpec | undefined,
  localPath: ((path: string) => Promise<string>) | undefined,
): Promise<EnvironmentPlan> {
  if (spec === undefined) return barePlan();
  if (spec.build !== undefined) return planOfContext(spec.build, localPath);
  const image = spec.image === undefined ? [] : [imageWarning(spec.image, spec.condaFile !== undefined)];
  return spec.condaFile === undefined ? barePlan(image) : planOfCondaFile(spec.condaFile, image);
}

function imageWarning(image: string, hasPackages: boolean): string {
  const taken = hasPackages
    ? 'only the packages of conda_file are there'
    : 'no packages are there: name them in conda_file';
  return `the image '${image}' is not used on local compute; ${taken}`;
}

async function planOfContext(
  build: { contextPath: string; dockerfilePath: string },
  localPath: ((path: string) => Promise<string>) | undefined,
): Promise<EnvironmentPlan> {
  if (localPath === undefined) {
    const message = 'environments with a build context cannot be prepared here; use conda_file';
    throw new PlatformError('unimplemented', 'BUILD_CONTEXT_UNSUPPORTED', message);
  }
  const folder = await localPath(build.contextPath);
  const note = `'${build.dockerfilePath}' is not run on local compute; only the Python packages of the build context are there`;
  const requirements = await textOf(join(folder, 'requirements.txt'));
  if (requirements !== undefined) return planOfRequirements(requirements, [`${note} (requirements.txt)`]);
  for (const name of condaNames) {
    const conda = await textOf(join(folder, name));
    if (conda !== undefined) return planOfCondaFile(conda, [`${note} (${name})`]);
  }
  return barePlan([`${note}, and it has neither requirements.txt nor ${condaNames[0]}: there are none`]);
}

/** A file of the context's own; not what a link in it points to. */
async function textOf(path: string): Promise<string | undefined> {
  const stat = await lstat(path).catch(() => undefined);
  if (stat === undefined || !stat.isFile()) return undefined;
  if (stat.size <= fileBytesMax) return readFile(path, 'utf8');
  const message = `'${path.split('/').at(-1)}' of the build context has more than ${fileBytesMax} bytes`;
  throw new PlatformError('invalid_argument', 'ENVIRONMENT_INVALID', message);
}
