import {
  laterProblem,
  literalProblems,
  stepComponentProblems,
  type Component,
  type ComponentInput,
  type ComponentOutput,
  type DataType,
  type LiteralType,
  type ParallelSettings,
  type PipelineStep,
  type StepComponent,
  type StepInput,
} from '@mooring/domain';
import { childPath } from '../reading/child-path.ts';
import { isObject, wrong, type Reading } from '../reading/fields.ts';
import { present } from '../reading/present.ts';
import {
  commandFields,
  componentType,
  dataTypes,
  parallelFields,
  pipelineFields,
  type InputValues,
  type ParallelValues,
  type StepValues,
} from './component-fields.ts';

/**
 * A component out of its file, or out of the `componentSpec` that Azure's SDK sends (azureml-contract 1.7): both spell alike but for a
 * few names. Code, environment and the components of steps are texts; they may be absent, because a file's are stored first. Undefined
 * when a problem was noted.
 */
export function readComponent(value: unknown, path: string, reading: Reading): Component | undefined {
  if (!isObject(value)) return wrong(reading, path, value, 'a component as a mapping');
  const before = reading.problems.length;
  const type = value['type'];
  if (type === undefined || type === null) {
    const expected = 'one of: command, parallel, pipeline';
    reading.problems.push({ path: childPath(path, 'type'), problem: 'is missing', expected });
    return undefined;
  }
  const kind = componentType.read(type, childPath(path, 'type'), reading);
  const read =
    kind === 'command'
      ? readCommand(value, path, reading)
      : kind === 'parallel'
        ? readParallel(value, path, reading)
        : kind === 'pipeline'
          ? readPipeline(value, path, reading)
          : undefined;
  return reading.problems.length > before ? undefined : read;
}

function readCommand(value: unknown, path: string, reading: Reading): Component | undefined {
  const read = commandFields.read(value, path, reading);
  if (read === undefined) return undefined;
  return sound(
    present({
      type: 'command',
      inputs: inputsOf(read.inputs ?? {}, path, reading),
      outputs: outputsOf(read.outputs ?? {}),
      command: read.command ?? '',
      code: read.code,
      environment: read.environment,
      environmentVariables: read.environment_variables ?? {},
      timeoutS: read.limits?.timeout,
    }) as StepComponent,
    path,
    reading,
  );
}

function readParallel(value: unknown, path: string, reading: Reading): Component | undefined {
  const read = parallelFields.read(value, path, reading);
  if (read === undefined) return undefined;
  const { task = {} } = read;
  return sound(
    present({
      type: 'parallel',
      inputs: inputsOf(read.inputs ?? {}, path, reading),
      outputs: outputsOf(read.outputs ?? {}),
      inputData: named('inputs', read.input_data, childPath(path, 'input_data'), reading) ?? '',
      code: task.code,
      entryScript: task.entry_script ?? '',
      environment: task.environment,
      environmentVariables: read.environment_variables ?? {},
      programArguments: task.program_arguments ?? '',
      appendRowTo: named('outputs', task.append_row_to, childPath(path, 'task.append_row_to'), reading),
      settings: settingsOf(read, path, reading),
    }) as StepComponent,
    path,
    reading,
  );
}

function readPipeline(value: unknown, path: string, reading: Reading): Component | undefined {
  const read = pipelineFields.read(value, path, reading);
  if (read === undefined) return undefined;
  return {
    type: 'pipeline',
    inputs: inputsOf(read.inputs ?? {}, path, reading),
    outputs: outputsOf(read.outputs ?? {}),
    steps: mapped(read.jobs ?? {}, (step, name) => stepOf(step, childPath(path, `jobs.${name}`), reading)),
  };
}

/** What its line and its task name must be there. */
function sound(component: StepComponent, path: string, reading: Reading): StepComponent {
  const problems = stepComponentProblems(component);
  reading.problems.push(...problems.map((problem) => ({ ...problem, path: childPath(path, problem.path) })));
  return component;
}

function inputsOf(
  values: Readonly<Record<string, InputValues>>,
  path: string,
  reading: Reading,
): Record<string, ComponentInput> {
  return mapped(values, (input, name) => inputOf(input, childPath(path, `inputs.${name}`), reading));
}

const literalOnly = ['default', 'min', 'max', 'enum'] as const;

function inputOf(input: InputValues, path: string, reading: Reading): ComponentInput {
  const { type = 'uri_folder', optional = false } = input;
  if (dataTypes.has(type)) {
    for (const field of literalOnly) {
      if (input[field] === undefined) continue;
      const problem = `is of values, and ${type} is data`;
      reading.problems.push({ path: childPath(path, field), problem, expected: 'nothing' });
    }
    return { kind: 'data', type: type as DataType, optional, direct: input.mode === 'direct' };
  }
  const rule = present({ type: type as LiteralType, min: input.min, max: input.max, enum: input.enum });
  const literal = { kind: 'literal' as const, ...rule, optional };
  for (const one of input.enum ?? [])
    reading.problems.push(
      ...literalProblems(one, { kind: 'literal', type: rule.type, optional }, childPath(path, 'enum')),
    );
  if (input.default === undefined) return literal;
  reading.problems.push(...literalProblems(input.default, literal, childPath(path, 'default')));
  return { ...literal, default: input.default };
}

function outputsOf(values: Readonly<Record<string, { type?: string } | null>>): Record<string, ComponentOutput> {
  return mapped(values, (output) => ({ type: (output?.type ?? 'uri_folder') as DataType }));
}

function stepOf(step: StepValues, path: string, reading: Reading): PipelineStep {
  return present({
    type: step.type as PipelineStep['type'],
    component: step.component ?? step.componentId,
    inputs: mapped(step.inputs ?? {}, (input, name) => stepInputOf(input, childPath(path, `inputs.${name}`), reading)),
    outputs: mapped(step.outputs ?? {}, (output, name) =>
      stepOutputOf(output, childPath(path, `outputs.${name}`), reading),
    ),
    environmentVariables: step.environment_variables ?? step.environmentVariables ?? {},
    timeoutS: step.limits?.timeout,
    settings: settingsOf(step, path, reading),
  }) as PipelineStep;
}

const parentInput = /^\$\{\{\s*parent\.inputs\.([A-Za-z_]\w*)\s*\}\}$/;
const parentOutput = /^\$\{\{\s*parent\.outputs\.([A-Za-z_]\w*)\s*\}\}$/;
const stepOutput = /^\$\{\{\s*parent\.jobs\.([A-Za-z_]\w*)\.outputs\.([A-Za-z_]\w*)\s*\}\}$/;
const nothing: StepInput = { from: 'literal', value: '' };

/** `3`, `${{...}}`, or a mapping: `{type, path}` of files, `{type, value}` and `{job_input_type, uri}` as the SDK sends them. */
function stepInputOf(given: unknown, path: string, reading: Reading): StepInput {
  if (!isObject(given)) return boundTo(given, path, reading);
  const { path: file, uri = file, value } = given;
  const written = given['type'] ?? given['job_input_type'];
  if (uri === undefined) return boundTo(value, path, reading);
  if (typeof uri !== 'string' || uri === '' || uri.length > 4_096) {
    wrong(reading, childPath(path, 'path'), uri, 'the address of stored files, a data asset or a model');
    return nothing;
  }
  if (uri.includes('${{')) return boundTo(uri, path, reading);
  const type = typeof written === 'string' ? plainType(written) : undefined;
  if (written !== undefined && (type === undefined || !dataTypes.has(type))) {
    wrong(reading, childPath(path, 'type'), written, `one of: ${[...dataTypes].join(', ')}`);
    return nothing;
  }
  if (!/^azureml:|^\/subscriptions\//i.test(uri)) {
    const remote = /^[a-z][a-z0-9+.-]*:\/\//i.test(uri);
    reading.problems.push(
      remote
        ? laterProblem(childPath(path, 'path'), 'files of a remote address in a pipeline')
        : {
            path: childPath(path, 'path'),
            problem: `'${uri.replace(/\p{Cc}/gu, '?').slice(0, 60)}' is a local path`,
            expected: 'a data asset (azureml:<name>:<version>), which `mooring data create` makes of local files',
          },
    );
  }
  return { from: 'data', uri, ...(type === undefined ? {} : { type: type as DataType }) };
}

/** `UriFolder`, `uri_folder` and `uri-folder` are one. */
function plainType(type: string): string | undefined {
  const plain = type.toLowerCase().replace(/[_-]/g, '');
  return [...dataTypes].find((known) => known.replaceAll('_', '') === plain);
}

function boundTo(value: unknown, path: string, reading: Reading): StepInput {
  if (typeof value === 'number' || typeof value === 'boolean') return { from: 'literal', value };
  if (typeof value !== 'string') {
    wrong(reading, path, value, 'a value, an expression, or a mapping with type and path');
    return nothing;
  }
  const [, input] = parentInput.exec(value) ?? [];
  if (input !== undefined) return { from: 'pipeline', input };
  const [, step, output] = stepOutput.exec(value) ?? [];
  if (step !== undefined && output !== undefined) return { from: 'step', step, output };
  if (!value.includes('${{')) return { from: 'literal', value };
  wrong(reading, path, value, '${{parent.inputs.<name>}} or ${{parent.jobs.<step>.outputs.<name>}}, alone');
  return nothing;
}

/** Nothing, `${{parent.outputs.y}}`, or a mapping that holds it as its value or path. */
function stepOutputOf(given: unknown, path: string, reading: Reading): { pipelineOutput?: string } {
  if (given === null || given === undefined) return {};
  const value = isObject(given) ? (given['value'] ?? given['path'] ?? given['uri']) : given;
  if (isObject(given) && (value === undefined || value === null)) return {};
  const [, pipelineOutput] = typeof value === 'string' ? (parentOutput.exec(value) ?? []) : [];
  if (pipelineOutput !== undefined) return { pipelineOutput };
  const place = typeof value === 'string' && /^azureml:/i.test(value);
  if (place) reading.problems.push(laterProblem(path, 'places of their own for outputs of a step'));
  else wrong(reading, path, value, '${{parent.outputs.<name>}}, or nothing');
  return {};
}

/** The name in `${{inputs.x}}`. */
function named(of: 'inputs' | 'outputs', text: string | undefined, path: string, reading: Reading): string | undefined {
  if (text === undefined) return undefined;
  const [, found, name] = /^\$\{\{\s*(inputs|outputs)\.([A-Za-z_]\w*)\s*\}\}$/.exec(text) ?? [];
  return found === of ? name : wrong(reading, path, text, `\${{${of}.<name>}}`);
}

function settingsOf(read: ParallelValues, path: string, reading: Reading): ParallelSettings {
  if ((read.mini_batch_error_threshold ?? -1) !== -1)
    reading.problems.push(
      laterProblem(childPath(path, 'mini_batch_error_threshold'), 'a limit of failed mini-batches'),
    );
  const retry = read.retry_settings;
  return present({
    instanceCount: read.resources?.instance_count,
    maxConcurrencyPerInstance: read.max_concurrency_per_instance,
    miniBatchSize: read.mini_batch_size,
    errorThreshold: read.error_threshold,
    loggingLevel: read.logging_level as ParallelSettings['loggingLevel'],
    retrySettings: retry && present({ maxRetries: retry.max_retries, timeoutS: retry.timeout }),
  }) as ParallelSettings;
}

function mapped<T, R>(values: Readonly<Record<string, T>>, make: (value: T, name: string) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, make(value, name)]));
}
