import { batchRanges, type SpecProblem } from '@mooring/domain';
import { dirname, resolve } from 'node:path';
import {
  choice,
  isObject,
  mapOf,
  object,
  readOnly,
  scalarText,
  text,
  whole,
  type Field,
  type ObjectOf,
} from '../reading/fields.ts';
import { present } from '../reading/present.ts';
import { problemsError } from '../reading/problems.ts';
import { applyChanges } from './changes.ts';
import { jobFields, jobProperties, type JobValues } from './kinds/batch-deployment-fields.ts';
import { assetName, pathText, textMap } from './kinds/common.ts';
import { readTextFile } from './read-text.ts';
import { parseYaml, type YamlValue } from './read-yaml.ts';

/** One input of a batch job: files, whose `path` may still be one of this machine, or a single value. */
export type InvocationInput =
  | { name: string; type?: 'uri_file' | 'uri_folder'; path: string }
  | { name: string; value: string };

/** What a job is asked for with (azureml-contract 2, 6.1). */
export interface BatchInvocation {
  inputs: InvocationInput[];
  outputs: { name: string; type: 'uri_file' | 'uri_folder'; path: string }[];
  /** Of the request's `properties`, in the spelling of Azure's SDK; without inputs and outputs. */
  properties: Record<string, unknown>;
  /** Folder that relative paths start from. */
  baseDir: string;
}

/** What flags say; each wins over the file. */
export interface InvocationFlags {
  input?: string | undefined;
  inputType?: string | undefined;
  outputPath?: string | undefined;
  /** Of the file's fields: `mini_batch_size`, `job_name`, ... */
  fields?: Readonly<Record<string, string | number | undefined>>;
  /** `inputs.x.path=...`, in order, after everything else. */
  sets?: readonly string[];
}

const literalTypes = { string: 'literal', number: 'literal', integer: 'literal', boolean: 'literal', float: 'literal' };
const fileTypes = { uri_file: 'uri_file', uri_folder: 'uri_folder' };

const inputFields = {
  type: choice({ ...fileTypes, ...literalTypes }, { mltable: 'MLTable as the input of a batch job' }),
  path: pathText,
  value: scalarText,
  default: scalarText,
  mode: readOnly,
  description: readOnly,
};
type InputValues = ObjectOf<typeof inputFields>;
const inputMapping = object(inputFields);

/** `how: append` is a value, as `how: {type: string, default: append}` is. */
const input: Field<InputValues> = {
  read: (value, path, reading) => {
    if (isObject(value) || Array.isArray(value)) return inputMapping.read(value, path, reading);
    const literal = scalarText.read(value, path, reading);
    return literal === undefined ? undefined : { type: 'literal', value: literal };
  },
};

const datastoreFolder = /^(?:azureml:)?\/{1,2}(?:subscriptions\/\S+\/)?datastores\/[^/]+\/paths\/.+$/i;
const name = { test: (key: string) => /^[^\p{Cc}]{1,128}$/u.test(key), expected: 'a name of at most 128 characters' };

const fields = {
  job_name: assetName,
  display_name: text(),
  experiment_name: text(),
  description: text(),
  tags: textMap,
  inputs: mapOf(input, name),
  outputs: mapOf(object({ type: choice(fileTypes), path: pathText, mode: readOnly, description: readOnly }), name),
  instance_count: whole(...batchRanges.instanceCount),
  ...jobFields,
};
const invocation = object(fields, 'a file of inputs and outputs');

/**
 * Reads what a job is to run with: a file with `inputs` and `outputs` (and overrides of the deployment's settings), flags, or both.
 * Throws one PlatformError with every problem. Whether the paths lead anywhere is not looked at.
 */
export async function loadInvocation(file: string | undefined, flags: InvocationFlags): Promise<BatchInvocation> {
  const what = file ?? 'the job';
  const problems: SpecProblem[] = [];
  const [document, another] = file === undefined ? [] : parseYaml(await readTextFile(resolve(file)), file);
  if (another !== undefined) {
    problems.push({
      path: '(file)',
      problem: 'holds several YAML documents',
      expected: 'the inputs and outputs of one job',
    });
  }
  const given = withFlags(document ?? { value: {}, sources: new Map() }, flags, problems);
  const { value, sources } = applyChanges(given, { sets: flags.sets }, problems);
  const read = invocation.read(value, '', { problems, sources, quotedNumbers: true }) ?? {};
  const inputs = Object.entries(read.inputs ?? {}).flatMap(([key, item]) => inputOf(key, item, problems));
  const outputs = Object.entries(read.outputs ?? {}).flatMap(([key, item]) => outputOf(key, item, problems));
  if (problems.length > 0) throw problemsError(what, problems);
  return {
    inputs,
    outputs,
    properties: propertiesOf(read),
    baseDir: file === undefined ? '.' : dirname(resolve(file)),
  };
}

function withFlags(document: YamlValue, flags: InvocationFlags, problems: SpecProblem[]): YamlValue {
  if (!isObject(document.value)) return document;
  const value = structuredClone(document.value);
  for (const [field, own] of Object.entries(flags.fields ?? {})) if (own !== undefined) value[field] = own;
  if (flags.input !== undefined) {
    if (value['inputs'] !== undefined) {
      const expected = '--input, or inputs in a file (--set inputs.<name>.path=... changes one)';
      problems.push({ path: '--input', problem: 'comes beside inputs of the file', expected });
    }
    // The names that Azure's client gives a single input.
    const key = flags.inputType === 'uri_file' ? 'UriFile' : 'UriFolder';
    value['inputs'] = { [key]: present({ path: resolvedInput(flags.input), type: flags.inputType }) };
  }
  if (flags.outputPath !== undefined) {
    const outputs = isObject(value['outputs']) ? value['outputs'] : {};
    const [key = 'score'] = Object.keys(outputs);
    const one = isObject(outputs[key]) ? outputs[key] : {};
    value['outputs'] = { ...outputs, [key]: { ...one, path: flags.outputPath } };
  }
  return { ...document, value };
}

/** A path given by a flag is relative to the current folder, not to the file's. */
function resolvedInput(path: string): string {
  const local = localPathOf(path);
  return local === undefined ? path : resolve(local);
}

/** The path without `file:`; undefined for addresses and for what is stored already. */
export function localPathOf(path: string): string | undefined {
  if (/^\/subscriptions\/[^/]+\/resourceGroups\//i.test(path)) return undefined;
  const local = path.replace(/^file:(?:\/\/(?=\/))?/i, '');
  return /^[a-z][a-z0-9+.-]+:/i.test(local) ? undefined : local;
}

function inputOf(key: string, item: InputValues, problems: SpecProblem[]): InvocationInput[] {
  const value = item.value ?? item.default;
  const path = `inputs.${key}`;
  if (item.type === 'literal' || (item.type === undefined && item.path === undefined)) {
    if (value !== undefined && item.path === undefined) return [{ name: key, value }];
    problems.push({ path, problem: 'has no value', expected: 'path: of files, or default: of a string or number' });
    return [];
  }
  if (item.path === undefined || value !== undefined) {
    problems.push({ path, problem: 'has no path of files, which its type asks for', expected: 'path: and no default' });
    return [];
  }
  return [
    present({ name: key, type: item.type as 'uri_file' | 'uri_folder' | undefined, path: item.path }),
  ] as InvocationInput[];
}

function outputOf(
  key: string,
  { type = 'uri_folder', path }: { type?: string; path?: string },
  problems: SpecProblem[],
): BatchInvocation['outputs'] {
  // An output without a path goes where outputs go.
  if (path === undefined) return [];
  if (!datastoreFolder.test(path)) {
    const expected = 'azureml://datastores/workspaceblobstore/paths/<folder>; job download brings it to this machine';
    problems.push({
      path: `outputs.${key}.path`,
      problem: `'${path.slice(0, 100)}' is no folder of a datastore`,
      expected,
    });
  }
  return [{ name: key, type: type as 'uri_file' | 'uri_folder', path }];
}

function propertiesOf(read: ObjectOf<typeof fields>): Record<string, unknown> {
  return present({
    name: read.job_name,
    displayName: read.display_name,
    description: read.description,
    tags: read.tags,
    ...jobProperties(read as JobValues),
    compute: read.instance_count === undefined ? undefined : { instanceCount: read.instance_count },
    properties: read.experiment_name === undefined ? undefined : { experimentName: read.experiment_name },
  });
}
