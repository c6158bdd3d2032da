import type { SpecProblem } from '../later.ts';
import type { JobOutput } from '../job.ts';
import {
  entryOf,
  type ComponentInput,
  type DataType,
  type PipelineComponent,
  type PipelineStep,
  type StepComponent,
  type StepInput,
} from './component.ts';
import { stepOrder, stepsBefore, stepsFolder, type StepComponents } from './link-pipeline.ts';
import { literalText, readLiteral } from './literals.ts';

/** What a caller gives for an input of a pipeline. */
export type GivenInput = { kind: 'literal'; value: unknown } | { kind: 'data'; type: DataType; uri: string };

/** What a step gets for one of its inputs; `text` stands in command lines as it is. */
export type BoundInput =
  | { kind: 'literal'; text: string }
  | {
      kind: 'data';
      type: DataType;
      uri: string;
      direct: boolean;
      /** An earlier step wrote it, or wrote nothing: a folder is empty then. */
      ofStep?: true;
    };

export interface BoundOutput extends JobOutput {
  type: DataType;
}

/** A step whose inputs all have values and whose outputs all have places. */
export interface BoundStep {
  name: string;
  /** Steps that must have completed. */
  after: readonly string[];
  step: PipelineStep;
  component: StepComponent;
  inputs: Readonly<Record<string, BoundInput>>;
  outputs: Readonly<Record<string, BoundOutput>>;
  /** Where what is neither of its outputs goes: its manifest, its errors. */
  folder: JobOutput;
}

export interface BindOptions {
  inputs: Readonly<Record<string, GivenInput>>;
  /** Places that the caller chose for outputs of the pipeline. */
  outputs: Readonly<Record<string, JobOutput>>;
  /** The job's own folder: outputs without a place are below it, and so are the steps. */
  home: JobOutput;
}

/**
 * The steps of one job of a pipeline that links (`linkProblems`), in an order in which they could run. Every problem of what the caller
 * gave is told by its path.
 */
export function bindPipeline(
  pipeline: PipelineComponent,
  components: StepComponents,
  options: BindOptions,
): { steps: BoundStep[]; outputs: Record<string, BoundOutput>; problems: SpecProblem[] } {
  const problems: SpecProblem[] = [];
  const inputs = givenInputs(pipeline, options, problems);
  const outputs = Object.fromEntries(
    Object.entries(pipeline.outputs).map(([name, { type }]) => {
      const place = entryOf(options.outputs, name) ?? below(options.home, name);
      return [name, { ...place, type }] as const;
    }),
  );
  for (const name of Object.keys(options.outputs)) {
    if (entryOf(pipeline.outputs, name) === undefined) problems.push(notThere(`outputs.${name}`, pipeline.outputs));
  }
  const bound = new Map<string, BoundStep>();
  for (const name of stepOrder(pipeline).order) {
    const step = entryOf(pipeline.steps, name) as PipelineStep;
    const component = components.get(name) as StepComponent;
    const folder = below(options.home, `${stepsFolder}/${name}`);
    bound.set(name, {
      name,
      after: stepsBefore(step),
      step,
      component,
      folder,
      inputs: stepInputs(step, component, { inputs, bound }, `jobs.${name}`, problems),
      outputs: stepOutputs(step, component, outputs, folder),
    });
  }
  return { steps: [...bound.values()], outputs, problems };
}

/** Values of the pipeline's inputs; one that is not given and has no default is not there. */
function givenInputs(
  { inputs }: PipelineComponent,
  options: BindOptions,
  problems: SpecProblem[],
): Map<string, BoundInput> {
  for (const name of Object.keys(options.inputs)) {
    if (entryOf(inputs, name) === undefined) problems.push(notThere(`inputs.${name}`, inputs));
  }
  const values = new Map<string, BoundInput>();
  for (const [name, input] of Object.entries(inputs)) {
    const path = `inputs.${name}`;
    const given = entryOf(options.inputs, name);
    if (given === undefined) {
      if (input.kind === 'literal' && input.default !== undefined) {
        values.set(name, { kind: 'literal', text: literalText(input.default) });
      } else if (!input.optional) {
        problems.push({ path, problem: 'is missing: the pipeline requires it', expected: input.type });
      }
      continue;
    }
    const value = boundOf(given, input, path, problems);
    if (value !== undefined) values.set(name, value);
  }
  return values;
}

function boundOf(
  given: GivenInput,
  input: ComponentInput,
  path: string,
  problems: SpecProblem[],
): BoundInput | undefined {
  if (given.kind === 'literal' && input.kind === 'literal') {
    const read = readLiteral(given.value, input);
    if ('value' in read) return { kind: 'literal', text: literalText(read.value) };
    problems.push({ path, problem: 'is not allowed', expected: read.expected });
    return undefined;
  }
  if (given.kind === 'data' && input.kind === 'data') {
    if ((given.type === 'uri_file') === (input.type === 'uri_file'))
      return { kind: 'data', type: given.type, uri: given.uri, direct: input.direct };
    problems.push({ path, problem: `is ${given.type}`, expected: input.type });
    return undefined;
  }
  const what = given.kind === 'literal' ? 'a value' : 'data';
  problems.push({ path, problem: `is ${what}`, expected: input.type });
  return undefined;
}

interface Known {
  inputs: ReadonlyMap<string, BoundInput>;
  bound: ReadonlyMap<string, BoundStep>;
}

function stepInputs(
  step: PipelineStep,
  component: StepComponent,
  known: Known,
  path: string,
  problems: SpecProblem[],
): Record<string, BoundInput> {
  const values: [string, BoundInput][] = [];
  for (const [name, input] of Object.entries(component.inputs)) {
    const given = entryOf(step.inputs, name);
    const value = (given && valueOf(given, known)) ?? defaultOf(input);
    if (value === undefined) continue;
    if (value.kind === 'data') {
      values.push([name, { ...value, direct: input.kind === 'data' && input.direct }]);
      continue;
    }
    // The rules of the component hold for what the pipeline's let through, too.
    const read = input.kind === 'literal' ? readLiteral(value.text, input) : undefined;
    if (read !== undefined && 'expected' in read) {
      const source = given?.from === 'pipeline' ? `inputs.${given.input}` : `${path}.inputs.${name}`;
      problems.push({ path: source, problem: `is not what step '${path.slice(5)}' takes`, expected: read.expected });
    }
    values.push([name, value]);
  }
  return Object.fromEntries(values);
}

function valueOf(given: StepInput, { inputs, bound }: Known): BoundInput | undefined {
  switch (given.from) {
    case 'literal':
      return { kind: 'literal', text: literalText(given.value) };
    case 'data':
      return { kind: 'data', type: given.type ?? 'uri_folder', uri: given.uri, direct: false };
    case 'pipeline':
      return inputs.get(given.input);
    default: {
      const output = entryOf(bound.get(given.step)?.outputs ?? {}, given.output);
      if (output === undefined) return undefined;
      return { kind: 'data', type: output.type, uri: uriOfOutput(given.output, output), direct: false, ofStep: true };
    }
  }
}

function defaultOf(input: ComponentInput): BoundInput | undefined {
  if (input.kind === 'data' || input.default === undefined) return undefined;
  return { kind: 'literal', text: literalText(input.default) };
}

function stepOutputs(
  step: PipelineStep,
  component: StepComponent,
  outputs: Readonly<Record<string, BoundOutput>>,
  folder: JobOutput,
): Record<string, BoundOutput> {
  return Object.fromEntries(
    Object.entries(component.outputs).map(([name, { type }]) => {
      const { pipelineOutput } = entryOf(step.outputs, name) ?? {};
      const place = pipelineOutput === undefined ? undefined : entryOf(outputs, pipelineOutput);
      return [name, { ...(place ?? below(folder, name)), type }];
    }),
  );
}

/** An output that is one file is a file of its own name, in the output's folder. */
export function uriOfOutput(name: string, { container, folder, type }: BoundOutput): string {
  return `azureml://datastores/${container}/paths/${folder}${type === 'uri_file' ? `/${name}` : ''}`;
}

function below({ container, folder }: JobOutput, name: string): JobOutput {
  return { container, folder: `${folder}/${name}` };
}

function notThere(path: string, table: Readonly<Record<string, unknown>>): SpecProblem {
  const known = Object.keys(table).join(', ') || 'none';
  return { path, problem: 'is not there in the pipeline', expected: `one of: ${known}` };
}
