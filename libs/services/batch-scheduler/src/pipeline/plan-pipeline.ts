import { assetKeyOf, componentOf } from '@mooring/azureml/component';
import {
  batchJobDefaults,
  bindPipeline,
  linkProblems,
  refusal,
  type AssetKind,
  type BatchJobSettings,
  type BoundInput,
  type BoundStep,
  type GivenInput,
  type JobOutput,
  type ParallelComponent,
  type PipelineBatchDeploymentSpec,
  type PipelineComponent,
  type PipelinePlan,
  type PlannedStep,
  type SpecByKind,
  type SpecProblem,
  type StepComponent,
  type StepRuns,
} from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { ArtifactStore } from '@mooring/storage';
import { placeOfUri } from '../domain/place-of-uri.ts';
import type { JobRequest } from '../domain/read-job-request.ts';
import type { WebInput } from '../input/web/web-input.ts';
import type { Catalog } from '../ports.ts';

export interface PlanDeps {
  catalog: Catalog;
  store: Pick<ArtifactStore, 'list'>;
  web: Pick<WebInput, 'check'>;
}

/** It is part of the job's document, which NATS takes no larger. */
const planBytesMax = 512 * 1024;
/** What steps that are commands write is listed there, beside their manifest. */
const outputListName = 'outputs.jsonl';
const dayS = 86_400;

/**
 * What one job of a pipeline consists of, every version fixed and every value in place, so that whatever becomes of the registry and of
 * the deployment meanwhile it is the same job. Rejects with all that is wrong with the request, or with the pipeline as it is now.
 */
export async function planPipeline(
  deps: PlanDeps,
  spec: PipelineBatchDeploymentSpec,
  request: Pick<JobRequest, 'inputs' | 'outputs'>,
  home: JobOutput,
): Promise<PipelinePlan> {
  const reader = new Reader(deps.catalog);
  const { pipeline, components } = await reader.pipeline(spec.component);
  const outputs = await outputPlaces(deps, request.outputs, pipeline);
  const inputs = Object.fromEntries(request.inputs.map(({ name, ...given }) => [name, given as GivenInput]));
  const bound = bindPipeline(pipeline, components, { inputs, outputs, home });
  if (bound.problems.length > 0) throw refusal('the job', bound.problems.map(inRequest));
  const steps: PlannedStep[] = [];
  for (const step of bound.steps) steps.push(await reader.step(step, deps.web));
  const plan: PipelinePlan = {
    component: spec.component,
    continueOnStepFailure: spec.settings.continueOnStepFailure,
    inputs: Object.fromEntries(request.inputs.map(({ name, ...given }) => [name, shownInput(given as GivenInput)])),
    outputs: bound.outputs,
    steps,
  };
  const bytes = Buffer.byteLength(JSON.stringify(plan));
  if (bytes <= planBytesMax) return plan;
  const message = `the pipeline with its values takes ${bytes} bytes, and at most ${planBytesMax} are allowed: make it of fewer steps, or hand long texts over in files`;
  throw new PlatformError('too_large', 'PIPELINE_TOO_LARGE', message);
}

function shownInput(given: GivenInput): BoundInput {
  if (given.kind === 'literal') return { kind: 'literal', text: String(given.value) };
  return { ...given, direct: false };
}

/** Where in a request a problem of an input or output is. */
function inRequest({ path, ...problem }: SpecProblem): SpecProblem {
  const at = path.replace(/^inputs\./, 'properties.inputData.').replace(/^outputs\./, 'properties.outputData.');
  return { path: at, ...problem };
}

/** Nothing that is there is overwritten, or mixed with what a job writes. */
async function outputPlaces(
  { store }: PlanDeps,
  given: JobRequest['outputs'],
  pipeline: PipelineComponent,
): Promise<Record<string, JobOutput>> {
  const places: [string, JobOutput][] = [];
  for (const { name, uri } of given) {
    const path = `properties.outputData.${name}`;
    const place = placeOfUri(uri);
    if (place.kind !== 'datastore' || place.path === '') {
      const expected = 'azureml://datastores/<name>/paths/<folder>';
      throw refusal('the job', [{ path, problem: 'is no folder of a datastore', expected }]);
    }
    if (Object.hasOwn(pipeline.outputs, name) && pipeline.outputs[name]?.type === 'uri_file') {
      const problem = 'is one file, which lies with its job';
      throw refusal('the job', [{ path, problem, expected: 'no place, or an output of type uri_folder' }]);
    }
    const { entries } = await store.list(place.container, { prefix: `${place.path}/`, max: 1 });
    if (entries.length > 0) {
      const message = `${place.container}/${place.path} holds files already, which are not overwritten; choose another folder`;
      throw new PlatformError('already_exists', 'OUTPUT_EXISTS', message);
    }
    places.push([name, { container: place.container, folder: place.path }]);
  }
  return Object.fromEntries(places);
}

/** Reads what a pipeline is made of, each thing once. */
class Reader {
  readonly #catalog: Catalog;
  readonly #versions = new Map<string, Promise<string>>();

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  async pipeline(key: string): Promise<{ pipeline: PipelineComponent; components: Map<string, StepComponent> }> {
    const { component } = componentOf((await this.#asset('component', key)).component, 'component');
    if (component?.type !== 'pipeline') throw missing(`component '${key}' is no pipeline any more`);
    const components = new Map<string, StepComponent>();
    for (const [name, { component: reference = '' }] of Object.entries(component.steps)) {
      const child = await this.#key('component', 'components', reference, `step '${name}'`);
      const read = componentOf((await this.#asset('component', child)).component, 'component').component;
      if (read === undefined || read.type === 'pipeline') throw missing(`component '${child}' is none of a step`);
      components.set(name, read);
    }
    // The newest versions may be others than when the pipeline was registered.
    const problems = linkProblems(component, components);
    if (problems.length > 0) throw refusal(`pipeline '${key}' with its components as they are now`, problems);
    return { pipeline: component, components };
  }

  async step(
    { name, after, step, component, folder, ...bound }: BoundStep,
    web: PlanDeps['web'],
  ): Promise<PlannedStep> {
    const inputs: [string, BoundInput][] = [];
    for (const [input, value] of Object.entries(bound.inputs)) inputs.push([input, await this.#input(value, web)]);
    const environmentVariables = { ...component.environmentVariables, ...step.environmentVariables };
    const runs: StepRuns = { inputs: Object.fromEntries(inputs), outputs: bound.outputs, environmentVariables };
    const what = `step '${name}'`;
    const code = component.code && (await this.#key('code', 'codes', component.code, what));
    const environment =
      component.environment && (await this.#key('environment', 'environments', component.environment, what));
    const common = { name, after, output: folder, ...(environment && { environment }) };
    if (component.type === 'command') {
      const timeoutS = step.timeoutS ?? component.timeoutS ?? dayS;
      return {
        ...common,
        input: { name: '', type: 'uri_folder', uri: '' },
        settings: {
          ...batchJobDefaults,
          miniBatchSize: 1,
          outputFileName: outputListName,
          retrySettings: { maxRetries: 0, timeoutS },
        },
        ...(code && { code: { codeKey: code, scoringScript: '' } }),
        runs: { ...runs, command: component.command },
      };
    }
    const data = runs.inputs[component.inputData];
    if (data?.kind !== 'data') throw new TypeError(`step '${name}' has no files to go through`);
    return {
      ...common,
      input: { name: component.inputData, type: data.type === 'uri_file' ? 'uri_file' : 'uri_folder', uri: data.uri },
      settings: settingsOf(component, step.settings),
      ...(code && { code: { codeKey: code, scoringScript: component.entryScript } }),
      runs: { ...runs, arguments: component.programArguments },
    };
  }

  /** A model by the place of its files, data by its version: what is the newest now. */
  async #input(value: BoundInput, web: PlanDeps['web']): Promise<BoundInput> {
    if (value.kind === 'literal') return value;
    const { uri, type } = value;
    const isModel = type.endsWith('_model') && !/\/data\//i.test(uri);
    const key = isModel && !/datastores\//i.test(uri) ? assetKeyOf('models', uri) : undefined;
    if (key !== undefined) {
      const { path } = await this.#asset('model', await this.#version('model', key));
      const slash = path.indexOf('/');
      return { ...value, uri: `azureml://datastores/${path.slice(0, slash)}/paths/${path.slice(slash + 1)}` };
    }
    const place = placeOfUri(uri);
    if (place.kind === 'web') web.check(place.url);
    if (place.kind !== 'data') return value;
    const version = await this.#version('data', `${place.name}${place.version ? `/${place.version}` : '@latest'}`);
    const data = await this.#asset('data', version);
    if (data.type === 'mltable') {
      throw refusal('the job', [
        { path: uri, problem: 'is an mltable', expected: 'data of type uri_folder or uri_file' },
      ]);
    }
    return { ...value, uri: `azureml:${version.replace('/', ':')}` };
  }

  async #key(
    kind: AssetKind,
    collection: 'components' | 'codes' | 'environments',
    reference: string,
    what: string,
  ): Promise<string> {
    const key = assetKeyOf(collection, reference);
    if (key === undefined) throw missing(`${what} names the ${kind} '${reference.slice(0, 200)}', which is none`);
    const version = await this.#version(kind, key);
    // Said now and not when the step runs.
    await this.#asset(kind, version);
    return version;
  }

  /** `name/version` of `name@latest`. */
  #version(kind: AssetKind, key: string): Promise<string> {
    if (!key.endsWith('@latest')) return Promise.resolve(key);
    const found = this.#versions.get(`${kind} ${key}`) ?? this.#newest(kind, key.slice(0, -'@latest'.length));
    this.#versions.set(`${kind} ${key}`, found);
    return found;
  }

  async #newest(kind: AssetKind, name: string): Promise<string> {
    const version = await this.#catalog.latest(kind, name);
    if (version === undefined) throw missing(`there is no version of the ${kind} '${name}'`);
    return `${name}/${version}`;
  }

  async #asset<K extends AssetKind>(kind: K, key: string): Promise<SpecByKind[K]> {
    const found = await this.#catalog.asset(kind, key);
    if (found === undefined) throw missing(`there is no ${kind} '${key}'`);
    return found;
  }
}

/** Results are gathered in a file of the output that they are for. */
function settingsOf(component: ParallelComponent, step: ParallelComponent['settings']): BatchJobSettings {
  const { appendRowTo } = component;
  const isFile = appendRowTo !== undefined && component.outputs[appendRowTo]?.type === 'uri_file';
  const file = isFile ? appendRowTo : batchJobDefaults.outputFileName;
  return {
    ...batchJobDefaults,
    ...component.settings,
    ...step,
    retrySettings: {
      ...batchJobDefaults.retrySettings,
      ...component.settings.retrySettings,
      ...step.retrySettings,
    },
    outputAction: appendRowTo === undefined ? 'summary_only' : 'append_row',
    outputFileName: appendRowTo === undefined ? batchJobDefaults.outputFileName : `${appendRowTo}/${file}`,
  };
}

function missing(message: string): PlatformError {
  return new PlatformError('failed_precondition', 'PIPELINE_NOT_WHOLE', message);
}
