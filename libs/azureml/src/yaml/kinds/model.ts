import { laterProblem } from '@mooring/domain';
import type { ModelDraft } from '../drafts.ts';
import {
  choice,
  isObject,
  later,
  object,
  readOnly,
  required,
  scalarText,
  type Field,
  type ObjectOf,
  type Reading,
} from '../../reading/fields.ts';
import { localPath, type LocalContext } from '../local-files.ts';
import { laterReference } from '../../reading/references.ts';
import { assetName, assetVersion, commonFields, pathText } from './common.ts';
import { childPath } from '../../reading/child-path.ts';
import { present } from '../../reading/present.ts';

/** Flavors are MLflow's own words; they are carried, not read. */
const anyMapping: Field<Record<string, unknown>> = {
  read: (value, path, reading) => {
    if (isObject(value)) return value;
    reading.problems.push({ path, problem: 'is not a mapping', expected: 'a mapping (key: value)' });
    return undefined;
  },
};

const modelFields = {
  version: assetVersion,
  type: choice({ custom_model: 'custom_model', mlflow_model: 'mlflow_model', triton_model: 'triton_model' }),
  path: required(pathText),
  stage: scalarText,
  flavors: anyMapping,
  utc_time_created: readOnly,
  job_name: readOnly,
  intellectual_property: readOnly,
  system_metadata: readOnly,
  datastore: later('datastores of your own'),
  default_deployment_template: later('deployment templates'),
  allowed_deployment_templates: later('deployment templates'),
  ...commonFields,
};

const named = object({ name: required(assetName), ...modelFields }, 'a model');
/** A model inside a deployment may go without a name: it is then named by its content. */
const inline = object({ name: assetName, ...modelFields }, 'a model');

export type ModelValues = ObjectOf<typeof modelFields & { name: typeof assetName }>;

export function readModelFields(value: unknown, path: string, reading: Reading): ModelValues | undefined {
  const read = (path === '' ? named : inline).read(value, path, reading);
  const capability = read?.path === undefined ? undefined : laterReference(read.path);
  if (capability !== undefined) reading.problems.push(laterProblem(childPath(path, 'path'), capability));
  return read;
}

/** Checks the files and makes the draft; undefined when a problem was noted. */
export async function draftModel(
  read: ModelValues,
  path: string,
  context: LocalContext,
): Promise<ModelDraft | undefined> {
  if (read.path === undefined) return undefined;
  const at = childPath(path, 'path');
  const found = await localPath(read.path, at, context);
  if (found === undefined) return undefined;
  if (!found.folder && read.type !== undefined && read.type !== 'custom_model') {
    context.problems.push({
      path: at,
      problem: `${found.files.path} is a file`,
      expected: `a folder: type is ${read.type}`,
    });
  }
  return {
    kind: 'model',
    ...present({ name: read.name, version: read.version }),
    files: found.files,
    body: {
      properties: present({
        description: read.description,
        modelType: read.type ?? 'custom_model',
        isAnonymous: read.name === undefined,
        tags: read.tags ?? {},
        properties: read.properties ?? {},
        stage: read.stage,
        flavors: read.flavors,
      }),
    },
  } as ModelDraft;
}
