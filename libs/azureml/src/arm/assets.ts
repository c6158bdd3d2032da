import type { CodeVersionSpec, EnvironmentVersionSpec, ModelVersionSpec, Stored } from '@mooring/domain';
import { choice, later, object, readOnly, required, text, type Reading } from '../reading/fields.ts';
import { condaProblem } from './conda-file.ts';
import type { ArmContext } from './envelope.ts';
import { datastoreUriOf, uploadedFiles } from './ids.ts';
import { anyObject, envelope, strictBool, textMap } from './scalars.ts';
import { present } from '../reading/present.ts';

/** What versions of every kind of asset hold. */
export const versionFields = {
  description: text(),
  tags: textMap,
  properties: textMap,
  isAnonymous: strictBool,
  isArchived: strictBool,
  provisioningState: readOnly,
  mooring: readOnly,
} as const;

const model = object({
  ...envelope,
  properties: required(
    object({
      ...versionFields,
      modelType: choice({ custom_model: 'custom_model', mlflow_model: 'mlflow_model', triton_model: 'triton_model' }),
      modelUri: required(uploadedFiles),
      stage: text(),
      flavors: anyObject,
      jobName: readOnly,
      datasets: readOnly,
    }),
  ),
});

const environment = object({
  ...envelope,
  properties: required(
    object({
      ...versionFields,
      image: text(),
      condaFile: text(),
      build: object({ contextUri: required(uploadedFiles), dockerfilePath: text() }),
      osType: choice({ Linux: 'linux', Windows: 'windows' }),
      inferenceConfig: later('containers of your own (inferenceConfig)'),
      autoRebuild: readOnly,
      environmentType: readOnly,
      stage: readOnly,
    }),
  ),
});

const code = object({
  ...envelope,
  properties: required(object({ ...versionFields, codeUri: required(uploadedFiles) })),
});

interface CommonValues {
  description?: string;
  tags?: Record<string, string>;
  properties?: Record<string, string>;
  isAnonymous?: boolean;
  isArchived?: boolean;
}

export function commonOf(values: CommonValues) {
  return {
    description: values.description,
    tags: values.tags ?? {},
    properties: values.properties ?? {},
    isAnonymous: values.isAnonymous ?? false,
    isArchived: values.isArchived ?? false,
  };
}

export function modelFromArm(body: unknown, reading: Reading): ModelVersionSpec {
  const values = model.read(body, '', reading)?.properties ?? {};
  return present({
    ...commonOf(values),
    type: (values.modelType ?? 'custom_model') as ModelVersionSpec['type'],
    path: values.modelUri ?? '',
    stage: values.stage,
    // An empty one is what the answer shows when there is none.
    flavors: Object.keys(values.flavors ?? {}).length === 0 ? undefined : values.flavors,
  }) as ModelVersionSpec;
}

export function environmentFromArm(body: unknown, reading: Reading): EnvironmentVersionSpec {
  const values = environment.read(body, '', reading)?.properties ?? {};
  const has = (key: 'image' | 'condaFile' | 'build'): boolean => values[key] !== undefined;
  if (reading.problems.length === 0) {
    const note = (path: string, problem: string, expected: string): void => {
      reading.problems.push({ path: `properties.${path}`, problem, expected });
    };
    if (!has('image') && !has('build')) note('image', 'is missing', "an 'image' or a 'build' context");
    if (has('image') && has('build')) note('build', 'cannot stand beside image', 'either image or build');
    if (has('condaFile') && has('build')) note('condaFile', 'cannot stand beside build', 'condaFile only with image');
    const unreadable =
      values.condaFile === undefined ? undefined : condaProblem(values.condaFile, 'properties.condaFile');
    if (unreadable !== undefined) reading.problems.push(unreadable);
  }
  return present({
    ...commonOf(values),
    image: values.image,
    condaFile: values.condaFile,
    build: values.build && {
      contextPath: values.build.contextUri ?? '',
      dockerfilePath: values.build.dockerfilePath ?? 'Dockerfile',
    },
    osType: (values.osType ?? 'linux') as EnvironmentVersionSpec['osType'],
  }) as EnvironmentVersionSpec;
}

export function codeFromArm(body: unknown, reading: Reading): CodeVersionSpec {
  const values = code.read(body, '', reading)?.properties ?? {};
  return present({ ...commonOf(values), path: values.codeUri ?? '' }) as CodeVersionSpec;
}

export function commonToArm(spec: Omit<CodeVersionSpec, 'path'>) {
  return {
    description: spec.description,
    properties: spec.properties,
    isAnonymous: spec.isAnonymous,
    isArchived: spec.isArchived,
  };
}

export function modelToArm({ spec }: Stored<'model'>, { workspace }: ArmContext): Record<string, unknown> {
  return {
    properties: present({
      ...commonToArm(spec),
      modelType: spec.type,
      modelUri: datastoreUriOf(workspace, spec.path),
      stage: spec.stage,
      // Azure's SDK fails on an absent one.
      flavors: spec.flavors ?? {},
    }),
  };
}

export function environmentToArm({ spec }: Stored<'environment'>, { workspace }: ArmContext): Record<string, unknown> {
  return {
    properties: present({
      ...commonToArm(spec),
      image: spec.image,
      condaFile: spec.condaFile,
      build: spec.build && {
        contextUri: datastoreUriOf(workspace, spec.build.contextPath),
        dockerfilePath: spec.build.dockerfilePath,
      },
      osType: spec.osType === 'windows' ? 'Windows' : 'Linux',
      environmentType: 'UserCreated',
    }),
  };
}

export function codeToArm({ spec }: Stored<'code'>, { workspace }: ArmContext): Record<string, unknown> {
  return { properties: present({ ...commonToArm(spec), codeUri: datastoreUriOf(workspace, spec.path) }) };
}
