import type { SpecProblem } from '../later.ts';
import {
  entryOf,
  type ComponentInput,
  type PipelineComponent,
  type PipelineStep,
  type StepComponent,
  type StepInput,
} from './component.ts';
import { namesIn, readCommandLine } from './command-line.ts';
import { readLiteral } from './literals.ts';

/** Components of a pipeline's steps, by the step's name; one that is not there is told of by whoever looked. */
export type StepComponents = ReadonlyMap<string, StepComponent>;

/** A document holds the whole plan of a job. */
const stepsMax = 100;
const portsMax = 200;

/** What is wrong with a component by itself: what its command line and its task name, and how many there are. */
export function stepComponentProblems(component: StepComponent): SpecProblem[] {
  const { inputs, outputs } = component;
  const problems = tooMany(component);
  const line = component.type === 'command' ? component.command : component.programArguments;
  const path = component.type === 'command' ? 'command' : 'task.program_arguments';
  const read = readCommandLine(line);
  problems.push(...read.problems.map((problem) => ({ path, problem })));
  for (const { of, name, optional } of namesIn(read.parts)) {
    const table = component[of];
    const found = entryOf<object>(table, name);
    if (found === undefined) problems.push(unknown(path, `\${{${of}.${name}}}`, Object.keys(table)));
    else if (of === 'inputs' && !optional && mayBeAbsent(entryOf(inputs, name))) {
      const problem = `names the optional input '${name}' where a value must stand`;
      problems.push({ path, problem, expected: `$[[--${name} \${{inputs.${name}}}]], which is left out without it` });
    }
  }
  if (component.type === 'parallel') problems.push(...taskProblems(component, inputs, outputs));
  return problems;
}

function taskProblems(
  { inputData, appendRowTo }: Extract<StepComponent, { type: 'parallel' }>,
  inputs: StepComponent['inputs'],
  outputs: StepComponent['outputs'],
): SpecProblem[] {
  const problems: SpecProblem[] = [];
  const input = entryOf(inputs, inputData);
  if (input === undefined) problems.push(unknown('input_data', `\${{inputs.${inputData}}}`, Object.keys(inputs)));
  else if (input.kind !== 'data' || input.optional || input.direct) {
    const expected = 'an input of type uri_folder or uri_file that is not optional';
    problems.push({ path: 'input_data', problem: `the input '${inputData}' has no files to go through`, expected });
  }
  if (appendRowTo !== undefined && entryOf(outputs, appendRowTo) === undefined)
    problems.push(unknown('task.append_row_to', `\${{outputs.${appendRowTo}}}`, Object.keys(outputs)));
  return problems;
}

/**
 * What is wrong between a pipeline and the components of its steps: names that are not there, types that do not meet, required inputs
 * that nothing gives, outputs that nothing makes, circles. None: `stepOrder` and `bindPipeline` can be asked.
 */
export function linkProblems(pipeline: PipelineComponent, components: StepComponents): SpecProblem[] {
  const problems = tooMany(pipeline);
  const names = Object.keys(pipeline.steps);
  if (names.length === 0) problems.push({ path: 'jobs', problem: 'holds no step', expected: 'at least one' });
  if (names.length > stepsMax) {
    problems.push({ path: 'jobs', problem: `holds ${names.length} steps`, expected: `at most ${stepsMax}` });
    return problems;
  }
  for (const [name, step] of Object.entries(pipeline.steps)) {
    problems.push(...stepProblems(pipeline, components, name, step));
  }
  problems.push(...outputProblems(pipeline));
  const { circle } = stepOrder(pipeline);
  if (circle.length > 0) {
    const problem = `the steps ${circle.join(' -> ')} wait for each other`;
    problems.push({ path: 'jobs', problem, expected: 'steps whose inputs come from earlier ones' });
  }
  return problems;
}

function stepProblems(
  pipeline: PipelineComponent,
  components: StepComponents,
  name: string,
  step: PipelineStep,
): SpecProblem[] {
  const path = `jobs.${name}`;
  const component = components.get(name);
  const problems = Object.entries(step.inputs).flatMap(([input, given]) => {
    const at = `${path}.inputs.${input}`;
    const source = sourceProblems(pipeline, components, name, given, at);
    if (component === undefined || source.length > 0) return source;
    const wanted = entryOf(component.inputs, input);
    if (wanted === undefined)
      return [unknown(at, `the input '${input}' of its component`, Object.keys(component.inputs))];
    return fitProblems(pipeline, components, given, wanted, at);
  });
  if (component === undefined) return problems;
  if (step.type !== undefined && step.type !== component.type) {
    const problem = `is '${step.type}', but its component is '${component.type}'`;
    problems.push({ path: `${path}.type`, problem, expected: component.type });
  }
  for (const [input, wanted] of Object.entries(component.inputs)) {
    if (mayBeAbsent(wanted) || hasDefault(wanted) || entryOf(step.inputs, input) !== undefined) continue;
    const expected = 'a value, or ${{parent.inputs.<name>}}';
    problems.push({ path: `${path}.inputs.${input}`, problem: 'is missing: its component requires it', expected });
  }
  for (const output of Object.keys(step.outputs)) {
    if (entryOf(component.outputs, output) !== undefined) continue;
    const what = `the output '${output}' of its component`;
    problems.push(unknown(`${path}.outputs.${output}`, what, Object.keys(component.outputs)));
  }
  return problems;
}

/** Whether what an input is bound to is there. */
function sourceProblems(
  { inputs, steps }: PipelineComponent,
  components: StepComponents,
  name: string,
  given: StepInput,
  path: string,
): SpecProblem[] {
  if (given.from === 'pipeline') {
    if (entryOf(inputs, given.input) !== undefined) return [];
    return [unknown(path, `\${{parent.inputs.${given.input}}}`, Object.keys(inputs))];
  }
  if (given.from !== 'step') return [];
  const shown = `\${{parent.jobs.${given.step}.outputs.${given.output}}}`;
  const others = Object.keys(steps).filter((other) => other !== name);
  if (entryOf(steps, given.step) === undefined) return [unknown(path, shown, others)];
  const component = components.get(given.step);
  if (component === undefined || entryOf(component.outputs, given.output) !== undefined) return [];
  return [unknown(path, shown, Object.keys(component.outputs))];
}

/** Whether what is there is what the component wants. */
function fitProblems(
  { inputs }: PipelineComponent,
  components: StepComponents,
  given: StepInput,
  wanted: ComponentInput,
  path: string,
): SpecProblem[] {
  switch (given.from) {
    case 'literal':
      return wanted.kind === 'literal'
        ? literalProblems(given.value, wanted, path)
        : [wrongType(path, 'a value', wanted)];
    case 'data':
      return wanted.kind === 'data' && fits(given.type, wanted.type)
        ? []
        : [wrongType(path, given.type ?? 'data', wanted)];
    case 'step': {
      const output = entryOf(components.get(given.step)?.outputs ?? {}, given.output);
      return wanted.kind === 'data' && fits(output?.type, wanted.type)
        ? []
        : [wrongType(path, output?.type ?? 'data', wanted)];
    }
    default: {
      const input = entryOf(inputs, given.input);
      if (input === undefined) return [];
      const same =
        input.kind === 'data' ? wanted.kind === 'data' && fits(input.type, wanted.type) : literalFits(input, wanted);
      if (!same) return [wrongType(path, input.type, wanted)];
      if (!mayBeAbsent(input) || mayBeAbsent(wanted) || hasDefault(wanted)) return [];
      const problem = `takes the pipeline's input '${given.input}', which is optional, but its component requires it`;
      return [{ path, problem, expected: 'a default in the pipeline, or an optional input of the component' }];
    }
  }
}

/** Of a literal that a pipeline hands on; its rules are looked at again when the value is known. */
function literalFits({ type }: ComponentInput, wanted: ComponentInput): boolean {
  if (wanted.kind !== 'literal') return false;
  return wanted.type === type || wanted.type === 'string' || (wanted.type === 'number' && type === 'integer');
}

/** Models and tables are folders to whoever gets a path; only one file and one folder are not the same. */
function fits(given: string | undefined, wanted: string): boolean {
  if (given === undefined || given === wanted) return true;
  return given !== 'uri_file' && wanted !== 'uri_file';
}

export function literalProblems(
  value: unknown,
  rule: Extract<ComponentInput, { kind: 'literal' }>,
  path: string,
): SpecProblem[] {
  const read = readLiteral(value, rule);
  return 'value' in read ? [] : [{ path, problem: 'is not allowed', expected: read.expected }];
}

function wrongType(path: string, given: string, wanted: ComponentInput): SpecProblem {
  return { path, problem: `is ${given}, which is not what its component takes`, expected: wanted.type };
}

function outputProblems({ outputs, steps }: PipelineComponent): SpecProblem[] {
  const problems: SpecProblem[] = [];
  const makers = new Map<string, string>();
  for (const [name, step] of Object.entries(steps)) {
    for (const [output, { pipelineOutput }] of Object.entries(step.outputs)) {
      if (pipelineOutput === undefined) continue;
      const path = `jobs.${name}.outputs.${output}`;
      const earlier = makers.get(pipelineOutput);
      if (entryOf(outputs, pipelineOutput) === undefined) {
        problems.push(unknown(path, `\${{parent.outputs.${pipelineOutput}}}`, Object.keys(outputs)));
      } else if (earlier !== undefined) {
        const problem = `makes the pipeline's output '${pipelineOutput}', which ${earlier} makes already`;
        problems.push({ path, problem, expected: 'one step for each output' });
      }
      makers.set(pipelineOutput, `jobs.${name}.outputs.${output}`);
    }
  }
  for (const output of Object.keys(outputs)) {
    const path = `outputs.${output}`;
    if (output === stepsFolder)
      problems.push({
        path,
        problem: `is called '${stepsFolder}', which is the folder of the steps`,
        expected: 'another name',
      });
    if (makers.has(output)) continue;
    const expected = `\${{parent.outputs.${output}}} as an output of a step`;
    problems.push({ path, problem: 'is made by no step', expected });
  }
  return problems;
}

/** Folder of what steps write, beside the outputs of their pipeline. */
export const stepsFolder = 'steps';

/** Steps whose outputs a step takes. */
export function stepsBefore({ inputs }: PipelineStep): string[] {
  return [...new Set(Object.values(inputs).flatMap((given) => (given.from === 'step' ? [given.step] : [])))];
}

/** Names of the steps so that each comes after those whose outputs it takes; `circle`: some that wait for each other. */
export function stepOrder({ steps }: PipelineComponent): { order: string[]; circle: string[] } {
  const order: string[] = [];
  const done = new Set<string>();
  const waiting = new Set(Object.keys(steps));
  for (let found = true; found;) {
    found = false;
    for (const name of waiting) {
      const before = stepsBefore(entryOf(steps, name) as PipelineStep).filter(
        (one) => entryOf(steps, one) !== undefined,
      );
      if (!before.every((one) => done.has(one))) continue;
      waiting.delete(name);
      done.add(name);
      order.push(name);
      found = true;
    }
  }
  return { order, circle: circleIn(steps, waiting) };
}

/** Every step that is left waits for another that is left, so following them leads round. */
function circleIn(steps: PipelineComponent['steps'], waiting: ReadonlySet<string>): string[] {
  const [first] = waiting;
  const path: string[] = [];
  for (let at = first; at !== undefined;) {
    const begin = path.indexOf(at);
    if (begin >= 0) return [...path.slice(begin), at];
    path.push(at);
    at = stepsBefore(entryOf(steps, at) as PipelineStep).find((one) => waiting.has(one));
  }
  return [];
}

function tooMany({ inputs, outputs }: Pick<StepComponent, 'inputs' | 'outputs'>): SpecProblem[] {
  return Object.entries({ inputs, outputs })
    .filter(([, table]) => Object.keys(table).length > portsMax)
    .map(([path, table]) => ({
      path,
      problem: `holds ${Object.keys(table).length} names`,
      expected: `at most ${portsMax}`,
    }));
}

function mayBeAbsent(input: ComponentInput | undefined): boolean {
  return input?.optional === true && !hasDefault(input);
}

function hasDefault(input: ComponentInput): boolean {
  return input.kind === 'literal' && input.default !== undefined;
}

function unknown(path: string, what: string, known: readonly string[]): SpecProblem {
  return {
    path,
    problem: `there is no ${what.replace(/^the /, '')}`,
    expected: `one of: ${known.join(', ') || 'none'}`,
  };
}
