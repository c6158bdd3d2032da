import { describe, expect, it } from 'vitest';
import type { CommandComponent, ParallelComponent, PipelineComponent, PipelineStep } from './component.ts';
import { bindPipeline, uriOfOutput, type GivenInput } from './bind-pipeline.ts';
import { linkProblems, stepComponentProblems, stepOrder } from './link-pipeline.ts';

const folder = { kind: 'data', type: 'uri_folder', optional: false, direct: false } as const;
const text = { kind: 'literal', type: 'string', optional: false } as const;

function command(changes: Partial<CommandComponent> = {}): CommandComponent {
  return {
    type: 'command',
    inputs: { data: folder },
    outputs: { clean: { type: 'uri_folder' } },
    command: 'python tidy.py --in ${{inputs.data}} --out ${{outputs.clean}}',
    environmentVariables: {},
    ...changes,
  };
}

function parallel(changes: Partial<ParallelComponent> = {}): ParallelComponent {
  return {
    type: 'parallel',
    inputs: { images: folder },
    outputs: { scores: { type: 'uri_folder' } },
    inputData: 'images',
    entryScript: 'score.py',
    environmentVariables: {},
    programArguments: '',
    appendRowTo: 'scores',
    settings: {},
    ...changes,
  };
}

function step(changes: Partial<PipelineStep> = {}): PipelineStep {
  return { component: 'c/1', inputs: {}, outputs: {}, environmentVariables: {}, settings: {}, ...changes };
}

const raw = { from: 'pipeline', input: 'raw' } as const;
const clean = { from: 'step', step: 'tidy', output: 'clean' } as const;
const rate = command({
  inputs: { data: folder, how: text, limit: { kind: 'literal', type: 'integer', optional: true, min: 1, max: 9 } },
  outputs: { scores: { type: 'uri_folder' } },
  command: 'python rate.py ${{inputs.data}} ${{inputs.how}} $[[--limit ${{inputs.limit}}]] ${{outputs.scores}}',
});

function pipeline(changes: Partial<PipelineComponent> = {}): PipelineComponent {
  return {
    type: 'pipeline',
    inputs: { raw: folder, how: { ...text, default: 'append' } },
    outputs: { scores: { type: 'uri_folder' } },
    steps: {
      rate: step({
        inputs: { data: clean, how: { from: 'pipeline', input: 'how' } },
        outputs: { scores: { pipelineOutput: 'scores' } },
      }),
      tidy: step({ inputs: { data: raw } }),
    },
    ...changes,
  };
}

const components = new Map<string, CommandComponent | ParallelComponent>([
  ['tidy', command()],
  ['rate', rate],
]);
const home = { container: 'store', folder: 'azureml/job' };

/** The pipeline with one of its steps changed. */
function withStep(name: string, changes: Partial<PipelineStep>): PipelineComponent {
  const { steps } = pipeline();
  return pipeline({ steps: { ...steps, [name]: { ...(steps[name] as PipelineStep), ...changes } } });
}

function linked(changed: PipelineComponent): string[] {
  return linkProblems(changed, components).map(({ path, problem, expected }) => `${path}: ${problem} (${expected})`);
}

describe('a pipeline', () => {
  it('links when every name is there and every type fits, whatever the order in which its steps are written', () => {
    expect(linked(pipeline())).toEqual([]);
    expect(stepOrder(pipeline()).order).toEqual(['tidy', 'rate']);
  });

  it.each<[string, PipelineComponent, string]>([
    ['no steps', pipeline({ steps: {}, outputs: {} }), 'jobs: holds no step'],
    [
      'an unknown input of the pipeline',
      withStep('tidy', { inputs: { data: { from: 'pipeline', input: 'row' } } }),
      'jobs.tidy.inputs.data: there is no ${{parent.inputs.row}} (one of: raw, how)',
    ],
    [
      'an unknown step',
      withStep('rate', { inputs: { data: { ...clean, step: 'tidi' } } }),
      'jobs.rate.inputs.data: there is no ${{parent.jobs.tidi.outputs.clean}} (one of: tidy)',
    ],
    [
      'a name that every object has',
      withStep('rate', { inputs: { data: { ...clean, step: 'constructor' } } }),
      'there is no ${{parent.jobs.constructor',
    ],
    [
      'an unknown output of a step',
      withStep('rate', { inputs: { data: { ...clean, output: 'x' } } }),
      'there is no ${{parent.jobs.tidy.outputs.x}} (one of: clean)',
    ],
    [
      'an input that the component has not',
      withStep('tidy', { inputs: { data: raw, how: raw } }),
      "jobs.tidy.inputs.how: there is no input 'how' of its component (one of: data)",
    ],
    ['a missing input', withStep('tidy', { inputs: {} }), 'jobs.tidy.inputs.data: is missing'],
    [
      'a value for data',
      withStep('tidy', { inputs: { data: { from: 'literal', value: 'x' } } }),
      'jobs.tidy.inputs.data: is a value, which is not what its component takes (uri_folder)',
    ],
    [
      'data for a value',
      withStep('rate', { inputs: { data: clean, how: raw } }),
      'jobs.rate.inputs.how: is uri_folder, which is not what its component takes (string)',
    ],
    [
      'an output for a value',
      withStep('rate', { inputs: { data: clean, how: clean } }),
      'jobs.rate.inputs.how: is uri_folder',
    ],
    [
      'a literal out of its range',
      withStep('rate', {
        inputs: { data: clean, how: { from: 'literal', value: 'x' }, limit: { from: 'literal', value: 10 } },
      }),
      'jobs.rate.inputs.limit: is not allowed (a number up to 9)',
    ],
    [
      'a step of another type than its component',
      withStep('tidy', { type: 'parallel' }),
      "jobs.tidy.type: is 'parallel', but its component is 'command'",
    ],
    [
      'an unknown output of the component',
      withStep('tidy', { outputs: { x: {} } }),
      "jobs.tidy.outputs.x: there is no output 'x' of its component (one of: clean)",
    ],
    [
      'an unknown output of the pipeline',
      withStep('tidy', { outputs: { clean: { pipelineOutput: 'x' } } }),
      'jobs.tidy.outputs.clean: there is no ${{parent.outputs.x}} (one of: scores)',
    ],
    [
      'an output made twice',
      withStep('tidy', { outputs: { clean: { pipelineOutput: 'scores' } } }),
      "makes the pipeline's output 'scores', which jobs.rate.outputs.scores makes already",
    ],
    ['an output made by nobody', withStep('rate', { outputs: {} }), 'outputs.scores: is made by no step'],
    [
      'a step that waits for itself',
      withStep('tidy', { inputs: { data: clean } }),
      'jobs: the steps tidy -> tidy wait for each other',
    ],
    [
      'a circle',
      withStep('tidy', { inputs: { data: { from: 'step', step: 'rate', output: 'scores' } } }),
      'wait for each other',
    ],
    [
      'an optional input where one is required',
      pipeline({ inputs: { raw: { ...folder, optional: true }, how: text } }),
      "jobs.tidy.inputs.data: takes the pipeline's input 'raw', which is optional",
    ],
    [
      'too many steps',
      pipeline({ steps: Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`s${index}`, step()])) }),
      'jobs: holds 101 steps (at most 100)',
    ],
  ])('is refused with %s', (_what, changed, says) => {
    expect(linked(changed).join('\n')).toContain(says);
  });
});

describe('a component of a step', () => {
  it.each<[string, CommandComponent | ParallelComponent, string]>([
    ['an unknown input', command({ command: 'cat ${{inputs.x}}' }), 'there is no ${{inputs.x}}'],
    ['an unknown output', command({ command: 'cat ${{outputs.x}}' }), 'there is no ${{outputs.x}}'],
    ['an expression that is none', command({ command: 'cat ${{parent.inputs.x}}' }), 'holds'],
    ['an expression without end', command({ command: 'cat ${{inputs.data' }), 'holds'],
    ['an optional part without end', command({ command: 'cat $[[--x' }), 'has a $[[ without ]]'],
    [
      'an optional input that must stand',
      command({ inputs: { data: { ...folder, optional: true } } }),
      "names the optional input 'data'",
    ],
    ['a parallel run over a value', parallel({ inputs: { images: text } }), "the input 'images' has no files"],
    ['a parallel run over nothing', parallel({ inputData: 'x' }), 'there is no ${{inputs.x}}'],
    ['results to nowhere', parallel({ appendRowTo: 'x' }), 'there is no ${{outputs.x}}'],
  ])('is refused with %s', (_what, component, says) => {
    const problems = stepComponentProblems(component);
    expect(problems.map(({ problem }) => problem).join('\n')).toContain(says);
  });

  it('is sound as people write it', () => {
    expect([command(), parallel(), rate].flatMap(stepComponentProblems)).toEqual([]);
  });
});

describe('a job of a pipeline', () => {
  const data: GivenInput = { kind: 'data', type: 'uri_folder', uri: 'azureml:photos:1' };
  const bind = (inputs: Record<string, GivenInput>, outputs = {}, changed = pipeline()) =>
    bindPipeline(changed, components, { inputs, outputs, home });

  it('gives every step its values, the places of earlier outputs and a place for each of its own', () => {
    const { steps, outputs, problems } = bind({ raw: data });
    expect(problems).toEqual([]);
    expect(outputs).toEqual({ scores: { container: 'store', folder: 'azureml/job/scores', type: 'uri_folder' } });
    const [tidy, second] = steps;
    expect(tidy).toMatchObject({ name: 'tidy', after: [], inputs: { data: { uri: 'azureml:photos:1' } } });
    expect(tidy?.outputs).toEqual({
      clean: { container: 'store', folder: 'azureml/job/steps/tidy/clean', type: 'uri_folder' },
    });
    expect(second).toMatchObject({
      name: 'rate',
      after: ['tidy'],
      outputs: { scores: { folder: 'azureml/job/scores' } },
    });
    expect(second?.inputs).toEqual({
      data: {
        kind: 'data',
        type: 'uri_folder',
        uri: 'azureml://datastores/store/paths/azureml/job/steps/tidy/clean',
        direct: false,
        ofStep: true,
      },
      how: { kind: 'literal', text: 'append' },
    });
  });

  it('puts an output where the caller says', () => {
    const { steps } = bind({ raw: data }, { scores: { container: 'other', folder: 'out/run1' } });
    expect(steps[1]?.outputs['scores']).toMatchObject({ container: 'other', folder: 'out/run1' });
  });

  it('names a file that an output is', () => {
    const place = { container: 'store', folder: 'a/b', type: 'uri_file' } as const;
    expect(uriOfOutput('report', place)).toBe('azureml://datastores/store/paths/a/b/report');
  });

  it('leaves an optional input out that nobody gives', () => {
    const inputs = { ...pipeline().inputs, limit: { kind: 'literal', type: 'integer', optional: true } as const };
    const changed = {
      ...withStep('rate', { inputs: { data: clean, how: raw, limit: { from: 'pipeline', input: 'limit' } } }),
      inputs,
    };
    expect(bind({ raw: data }, {}, changed).steps[1]?.inputs).not.toHaveProperty('limit');
    const given = bind({ raw: data, limit: { kind: 'literal', value: '3' } }, {}, changed);
    expect(given.steps[1]?.inputs['limit']).toEqual({ kind: 'literal', text: '3' });
    const wrong = bind({ raw: data, limit: { kind: 'literal', value: '30' } }, {}, changed);
    expect(wrong.problems).toEqual([
      { path: 'inputs.limit', problem: "is not what step 'rate' takes", expected: 'a number up to 9' },
    ]);
  });

  it.each<[string, Record<string, GivenInput>, object, string]>([
    ['a missing input', {}, {}, 'inputs.raw: is missing: the pipeline requires it (uri_folder)'],
    ['an unknown input', { raw: data, row: data }, {}, 'inputs.row: is not there in the pipeline (one of: raw, how)'],
    ['a value for data', { raw: { kind: 'literal', value: 'x' } }, {}, 'inputs.raw: is a value (uri_folder)'],
    ['data for a value', { raw: data, how: data }, {}, 'inputs.how: is data (string)'],
    ['a file for a folder', { raw: { ...data, type: 'uri_file' } }, {}, 'inputs.raw: is uri_file (uri_folder)'],
    ['no text', { raw: data, how: { kind: 'literal', value: [] } }, {}, 'inputs.how: is not allowed (text of'],
    ['an unknown output', { raw: data }, { x: home }, 'outputs.x: is not there in the pipeline (one of: scores)'],
  ])('is refused with %s', (_what, inputs, outputs, says) => {
    const { problems } = bind(inputs, outputs);
    expect(problems.map(({ path, problem, expected }) => `${path}: ${problem} (${expected})`).join()).toContain(says);
  });
});
