import { laterProblem } from '@mooring/domain';
import type { EnvironmentDraft, LocalFiles } from '../drafts.ts';
import {
  choice,
  isObject,
  later,
  object,
  readOnly,
  required,
  text,
  wrong,
  type Field,
  type ObjectOf,
  type Reading,
} from '../../reading/fields.ts';
import { condaText, fileInside, localFolder, type LocalContext } from '../local-files.ts';
import { laterReference } from '../../reading/references.ts';
import { assetName, assetVersion, commonFields, pathText } from './common.ts';
import { childPath } from '../../reading/child-path.ts';
import { present } from '../../reading/present.ts';

/** A path, or the conda file's own content. */
const condaFile: Field<unknown> = {
  read: (value, path, reading) =>
    (typeof value === 'string' && value.trim() !== '') || isObject(value)
      ? value
      : wrong(reading, path, value, 'the path of a conda file, or its content as a mapping'),
};

const environmentFields = {
  version: assetVersion,
  image: text({ test: (value) => /^\S{1,500}$/.test(value), expected: 'the name of an image' }),
  conda_file: condaFile,
  build: object({ path: required(pathText), dockerfile_path: pathText }),
  os_type: choice({ linux: 'Linux', windows: 'Windows' }),
  intellectual_property: readOnly,
  inference_config: later('containers of your own (inference_config)'),
  auto_delete_setting: later('deletion of assets after a time'),
  datastore: later('datastores of your own'),
  ...commonFields,
};

const named = object({ name: required(assetName), ...environmentFields }, 'an environment');
const inline = object({ name: assetName, ...environmentFields }, 'an environment');

export type EnvironmentValues = ObjectOf<typeof environmentFields & { name: typeof assetName }>;

export function readEnvironmentFields(value: unknown, path: string, reading: Reading): EnvironmentValues | undefined {
  const read = (path === '' ? named : inline).read(value, path, reading);
  // A field that was refused has its own problem; only what the user left out is judged here.
  const has = (key: string): boolean => isObject(value) && value[key] !== undefined && value[key] !== null;
  const note = (key: string, problem: string, expected: string): void => {
    reading.problems.push({ path: key === '' ? path || '(file)' : childPath(path, key), problem, expected });
  };
  if (isObject(value) && !has('image') && !has('build') && !has('inference_config')) {
    const expected = has('conda_file') ? "an 'image' beside conda_file" : "an 'image' or a 'build' folder";
    note('', 'says no base to build on', expected);
  }
  if (has('image') && has('build')) note('build', 'cannot stand beside image', 'either image or build');
  if (has('conda_file') && has('build')) note('conda_file', 'cannot stand beside build', 'conda_file only with image');
  const capability = read?.build?.path === undefined ? undefined : laterReference(read.build.path);
  if (capability !== undefined) reading.problems.push(laterProblem(childPath(path, 'build.path'), capability));
  return read;
}

/** Reads the conda file, checks the build folder and makes the draft; undefined when a problem was noted. */
export async function draftEnvironment(
  read: EnvironmentValues,
  path: string,
  context: LocalContext,
): Promise<EnvironmentDraft | undefined> {
  const before = context.problems.length;
  const conda =
    read.conda_file === undefined
      ? undefined
      : await condaText(read.conda_file, childPath(path, 'conda_file'), context);
  const build =
    read.build === undefined ? undefined : await buildContext(read.build, childPath(path, 'build'), context);
  if (context.problems.length > before) return undefined;
  return {
    kind: 'environment',
    ...present({ name: read.name, version: read.version, buildContext: build?.files }),
    body: {
      properties: present({
        description: read.description,
        image: read.image,
        condaFile: conda,
        build: build && { dockerfilePath: build.dockerfilePath },
        osType: read.os_type,
        isAnonymous: read.name === undefined,
        tags: read.tags ?? {},
        properties: read.properties ?? {},
      }),
    },
  } as EnvironmentDraft;
}

async function buildContext(
  build: { path?: string; dockerfile_path?: string },
  path: string,
  context: LocalContext,
): Promise<{ files: LocalFiles; dockerfilePath: string } | undefined> {
  const files = await localFolder(build.path ?? '.', childPath(path, 'path'), context);
  if (files === undefined) return undefined;
  const dockerfilePath = build.dockerfile_path ?? 'Dockerfile';
  const file = await fileInside(files.path, dockerfilePath, childPath(path, 'dockerfile_path'), context);
  return file === undefined ? undefined : { files, dockerfilePath };
}
