import { batchRanges, type Literal } from '@mooring/domain';
import {
  bool,
  choice,
  fraction,
  later,
  listOf,
  mapOf,
  object,
  readOnly,
  required,
  scalarText,
  text,
  whole,
  wrong,
  type Field,
  type ObjectOf,
  type Rule,
} from '../reading/fields.ts';

/** The fields of components, in files and in what Azure's SDK sends (azureml-contract 1.7). */

export const componentType = choice({ command: 'command', parallel: 'parallel', pipeline: 'pipeline' });
const stepType = choice({ command: 'command', parallel: 'parallel' }, { pipeline: 'pipelines within pipelines' });

export const dataTypes: ReadonlySet<string> = new Set([
  'uri_folder',
  'uri_file',
  'mltable',
  'custom_model',
  'mlflow_model',
  'triton_model',
]);
const dataChoices = Object.fromEntries([...dataTypes].map((type) => [type, type]));
const inputType = choice({
  ...dataChoices,
  string: 'string',
  number: 'number',
  float: 'number',
  integer: 'integer',
  boolean: 'boolean',
});
const outputType = choice({ uri_folder: 'uri_folder', uri_file: 'uri_file', ...dataChoices });

/** It becomes part of a path and of an expression. */
const name: Rule = {
  // JavaScript has its own idea of a thing of that name.
  test: (value) => /^[A-Za-z_]\w{0,62}$/.test(value) && value !== '__proto__',
  expected: 'at most 63 letters, digits and underscores, beginning with no digit',
};

const literal: Field<Literal> = {
  read: (value, path, reading) =>
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      ? value
      : wrong(reading, path, value, 'a single value'),
};

const number = fraction(-1e15, 1e15);

/** What an input or output is got by; only `direct` differs on one machine. */
const mode = choice({
  ro_mount: 'ro_mount',
  rw_mount: 'rw_mount',
  download: 'download',
  upload: 'upload',
  direct: 'direct',
  mount: 'mount',
});

const input = object({
  type: required(inputType),
  description: scalarText,
  optional: bool,
  default: literal,
  min: number,
  max: number,
  enum: listOf(literal),
  mode,
  path_on_compute: later('paths of your own on the compute'),
});
const output = object({
  type: outputType,
  description: scalarText,
  mode,
  path_on_compute: later('paths of your own on the compute'),
  early_available: later('outputs that are read before their step has ended'),
});
/** `clean:` alone is a folder. */
const outputOrNothing: Field<{ type?: string }> = {
  read: (value, path, reading) => (value === null ? {} : output.read(value, path, reading)),
};

/** `10`, `"10"`: files. */
const miniBatchSize: Field<number> = {
  read: (value, path, reading) => {
    if (typeof value === 'string' && /^\d+\s*[kmg]?b$/i.test(value))
      return later('mini-batches by their size in bytes').read(value, path, reading);
    const [smallest, largest] = batchRanges.miniBatchSize;
    const read = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
    const ok = typeof read === 'number' && Number.isInteger(read) && read >= smallest && read <= largest;
    return ok ? read : wrong(reading, path, value, `a whole number of files from ${smallest} to ${largest}`);
  },
};

const nodes = 'nodes of a chosen kind';
const resources = (largest: number, capability: string) =>
  object({
    instance_count: {
      read: (value, path, reading) =>
        typeof value === 'number' && value > largest && Number.isInteger(value)
          ? later(capability).read(value, path, reading)
          : whole(1, largest).read(value, path, reading),
    } as Field<number>,
    instance_type: later(nodes),
    properties: readOnly,
    shm_size: later(nodes),
    docker_args: later(nodes),
    locations: later(nodes),
  });

/** What a component is told by, beside what it does; nothing of it matters to a run. */
const about = {
  name: scalarText,
  version: scalarText,
  display_name: scalarText,
  description: scalarText,
  tags: mapOf(scalarText),
  properties: mapOf(scalarText),
  type: readOnly,
  is_deterministic: bool,
  additional_includes: later('files from beside the code folder (additional_includes)'),
  id: readOnly,
  creation_context: readOnly,
  intellectual_property: readOnly,
};
const ports = { inputs: mapOf(input, name), outputs: mapOf(outputOrNothing, name) };
const variables = mapOf(scalarText, {
  test: (key) => /^[^=\p{Cc}]{1,256}$/u.test(key),
  expected: 'the name of a variable: at most 256 characters, none of them =',
});
const limits = object({ timeout: whole(...batchRanges.timeoutS) });
const reference = text({ test: (value) => value !== '' && value.length <= 2_048, expected: 'a reference' });
const line = text({ test: (value) => value.trim() !== '', expected: 'a command line' });

export const commandFields = object(
  {
    ...about,
    ...ports,
    command: required(line),
    code: reference,
    environment: reference,
    environment_variables: variables,
    resources: resources(1, 'commands on several nodes'),
    distribution: later('distributed commands'),
    limits,
  },
  'a command component',
);

const script = text({
  test: (path) =>
    path.endsWith('.py') && !path.includes('\\') && path.split('/').every((part) => !['', '.', '..'].includes(part)),
  expected: "a .py file, its path relative to the code's folder",
});

/** Of a parallel component, and of a step that wants them otherwise. */
const runFields = {
  mini_batch_size: miniBatchSize,
  max_concurrency_per_instance: whole(...batchRanges.maxConcurrencyPerInstance),
  error_threshold: whole(...batchRanges.errorThreshold),
  mini_batch_error_threshold: whole(-1),
  retry_settings: object({ max_retries: whole(...batchRanges.maxRetries), timeout: whole(...batchRanges.timeoutS) }),
  logging_level: choice({ debug: 'debug', info: 'info', warning: 'warning' }),
  resources: resources(batchRanges.instanceCount[1], nodes),
};
export type ParallelValues = ObjectOf<typeof runFields>;

export const parallelFields = object(
  {
    ...about,
    ...ports,
    ...runFields,
    input_data: required(text()),
    task: required(
      object({
        type: choice({ run_function: 'run_function' }, { function: 'functions as tasks', model: 'models as tasks' }),
        code: reference,
        entry_script: required(script),
        environment: reference,
        program_arguments: text(),
        append_row_to: text(),
        model: later('models as tasks'),
      }),
    ),
    environment_variables: variables,
    partition_keys: later('partitions of tables'),
  },
  'a parallel component',
);

const anything: Field<unknown> = { read: (value) => value };

const stepFields = object({
  type: stepType,
  component: reference,
  componentId: { ...reference, hidden: true },
  inputs: mapOf(anything, name),
  outputs: mapOf(nullable(anything), name),
  environment_variables: variables,
  environmentVariables: { ...variables, hidden: true },
  limits,
  ...runFields,
  input_data: later('other inputs for a parallel step than its component has'),
  name: scalarText,
  display_name: scalarText,
  description: scalarText,
  tags: readOnly,
  properties: readOnly,
  experiment_name: readOnly,
  // One machine is every compute.
  compute: scalarText,
  computeId: { ...scalarText, hidden: true },
  command: later('steps without a component of their own'),
  task: later('steps without a component of their own'),
  distribution: later('distributed commands'),
  identity: readOnly,
  queue_settings: readOnly,
  services: readOnly,
});

/** A key without a value is the key: `clean:`. */
function nullable(field: Field<unknown>): Field<unknown> {
  return { read: (value, path, reading) => (value === null ? null : field.read(value, path, reading)) };
}

export const pipelineFields = object(
  { ...about, ...ports, jobs: required(mapOf(stepFields, name)), settings: readOnly },
  'a pipeline component',
);

export type InputValues = NonNullable<ReturnType<typeof input.read>>;
export type StepValues = NonNullable<ReturnType<typeof stepFields.read>>;
