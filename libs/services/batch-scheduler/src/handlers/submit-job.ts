import { createHash } from 'node:crypto';
import { jobKey } from '@mooring/batch-jobs';
import type { SubmitJobRequest, SubmitJobResponse } from '@mooring/contracts/batch';
import {
  batchJobDefaults,
  checkIdempotencyKey,
  type BatchDeploymentSpec,
  type BatchJobSettings,
  type JobRecord,
  type ModelBatchDeploymentSpec,
} from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { CallContext } from '@mooring/rpc';
import type { ArtifactStore } from '@mooring/storage';
import type { Tracing } from '@mooring/telemetry';
import { nameOfJob } from '../domain/job-name.ts';
import { placeOfUri } from '../domain/place-of-uri.ts';
import type { WebInput } from '../input/web/web-input.ts';
import { modelInput, modelOutput, readJobRequest, type JobRequest } from '../domain/read-job-request.ts';
import { patternOf } from '../input/find-input.ts';
import { readGlob } from '../input/glob.ts';
import { planPipeline } from '../pipeline/plan-pipeline.ts';
import { stepJobName } from '../pipeline/step-job.ts';
import type { Catalog } from '../ports.ts';
import type { Admission } from '../run/admission.ts';
import type { JobBook } from '../run/job-book.ts';

export interface SubmitDeps {
  book: JobBook;
  catalog: Catalog;
  store: Pick<ArtifactStore, 'head' | 'list'>;
  web: Pick<WebInput, 'check'>;
  admission: Admission;
  clock: () => Date;
  tracing: Tracing;
  /** Why jobs are refused because records may be lost; undefined: they may not, or the operator takes that. */
  unsafe: string | undefined;
}

/** The names of a step's files and of its lane on the work queue begin with its key. */
const stepKeyCharactersMax = 200;

/** Container of outputs that no request names a place for, as Azure calls its default datastore. */
const defaultContainer = 'workspaceblobstore';

/** Accepts a job, once: the same name or idempotency key finds the job that is there, and with another request is refused. */
export function createSubmitJob(deps: SubmitDeps) {
  const accept = async (call: SubmitJobRequest, traceparent: string): Promise<SubmitJobResponse> => {
    if (call.idempotencyKey !== '') checkIdempotencyKey(call.idempotencyKey, 'the idempotency key');
    const request = readJobRequest(call.jobJson);
    const name = nameOfJob(call.endpoint, request.name, call.idempotencyKey);
    const fingerprint = fingerprintOf(call, request);
    // Before anything is looked up: a retry must find its job though the deployment has gone meanwhile.
    const earlier = await deps.book.find(name);
    if (earlier !== undefined) return found(earlier, fingerprint);
    if (deps.unsafe !== undefined) {
      const message =
        `NATS could lose records of a job in a power cut, and rows would be written twice or not at all: ${deps.unsafe}. ` +
        'Whoever can live with that sets MOORING_BATCH_LAZY_SYNC=allow.';
      throw new PlatformError('failed_precondition', 'BATCH_LAZY_SYNC', message);
    }
    deps.admission.checkRoom();
    const job = await newJob(deps, call, request, { name, fingerprint });
    const made = await create(deps, traceparent === '' ? job : { ...job, traceparent });
    return made.created ? { jobJson: JSON.stringify(made.job), created: true } : found(made.job, fingerprint);
  };
  return async (call: SubmitJobRequest, { metadata }: CallContext): Promise<SubmitJobResponse> => {
    const caller = metadata.get('traceparent')[0];
    const span = deps.tracing.span('batch submit', typeof caller === 'string' ? caller : '', {
      kind: 'server',
      attributes: { 'mooring.endpoint': call.endpoint },
    });
    try {
      const answer = await accept(call, span.traceparent);
      span.end();
      return answer;
    } catch (thrown) {
      span.end({ reason: PlatformError.from(thrown).reason });
      throw thrown;
    }
  };
}

async function create({ admission, book }: SubmitDeps, job: JobRecord): ReturnType<JobBook['create']> {
  admission.claim(job);
  try {
    return await book.create(job);
  } catch (thrown) {
    admission.release(job);
    throw thrown;
  }
}

function found(job: JobRecord, fingerprint: string): SubmitJobResponse {
  if (job.fingerprint === fingerprint) return { jobJson: JSON.stringify(job), created: false };
  throw new PlatformError(
    'already_exists',
    'JOB_EXISTS',
    `there is a job '${job.name}' already, and it was made by another request; use another name or idempotency key`,
  );
}

/**
 * What was asked and where. Who asked does not matter, nor what the one input and the one output are called: Azure's SDK has its own
 * names for them.
 */
function fingerprintOf({ endpoint, deployment }: SubmitJobRequest, request: JobRequest): string {
  const [inputs, outputs] = [onlyUnnamed(request.inputs), onlyUnnamed(request.outputs)];
  const what = sorted({ ...request, inputs, outputs });
  const asked = JSON.stringify([endpoint.toLowerCase(), deployment.toLowerCase(), what]);
  return createHash('sha256').update(asked).digest('hex');
}

function onlyUnnamed<T extends { name: string }>(entries: readonly T[]): readonly T[] {
  const [only, another] = entries;
  return only === undefined || another !== undefined ? entries : [{ ...only, name: '' }];
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => [name, sorted(field)]);
}

async function newJob(
  deps: SubmitDeps,
  call: SubmitJobRequest,
  request: JobRequest,
  { name, fingerprint }: { name: string; fingerprint: string },
): Promise<JobRecord> {
  const { endpoint, deployment, spec } = await deploymentOf(deps.catalog, call);
  const now = deps.clock().toISOString();
  const common: Omit<JobRecord, 'input' | 'output' | 'settings' | 'model'> = {
    name,
    displayName: request.displayName ?? name,
    ...(request.description === undefined ? {} : { description: request.description }),
    experimentName:
      request.experimentName ?? (spec.type === 'pipeline' ? spec.settings.experimentName : undefined) ?? endpoint,
    tags: request.tags,
    properties: mooringProperties(spec.properties),
    endpoint,
    deployment,
    createdAt: now,
    createdBy: call.principal,
    fingerprint,
    status: 'Queued',
    since: now,
    attempt: 1,
    pushedTo: 0,
    progress: { succeeded: 0, failed: 0, skipped: 0, miniBatchesDone: 0 },
    usage: { instanceS: 0, items: 0, bytes: 0 },
  };
  if (spec.type === 'model') return { ...common, ...(await modelPart(deps, spec, request, name)) };
  const output = { container: defaultContainer, folder: `azureml/${name}` };
  const pipeline = await planPipeline(deps, spec, request, output);
  if (pipeline.steps.some((step) => jobKey(stepJobName(name, step.name)).length > stepKeyCharactersMax)) {
    const problem = 'is too long with the names of the steps behind it';
    throw PlatformError.invalid('the job', [{ path: 'properties.name', problem, expected: 'a shorter name' }]);
  }
  // Its steps have their own.
  const input = { name: '', type: 'uri_folder' as const, uri: '' };
  return { ...common, input, output, settings: batchJobDefaults, model: '', pipeline };
}

async function modelPart(
  deps: SubmitDeps,
  spec: ModelBatchDeploymentSpec,
  request: JobRequest,
  name: string,
): Promise<Pick<JobRecord, 'input' | 'output' | 'settings' | 'model' | 'code' | 'environment'>> {
  const input = modelInput(request);
  const settings = settingsOf(spec.job, request);
  // Said now and not when the job runs.
  const place = placeOfUri(input.uri);
  if (place.kind === 'web') deps.web.check(place.url);
  const { glob } = place.kind === 'datastore' ? patternOf(place.path) : {};
  if (glob !== undefined) readGlob(glob);
  return {
    input,
    output: await outputOf(deps, request, settings, name),
    settings,
    model: spec.model,
    ...(spec.code === undefined ? {} : { code: spec.code }),
    ...(spec.environment === undefined ? {} : { environment: spec.environment }),
  };
}

/** The settings that Azure has no field for; the user's other properties stay with the deployment. */
function mooringProperties(properties: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => name.startsWith('mooring.')));
}

async function deploymentOf(
  catalog: Catalog,
  call: SubmitJobRequest,
): Promise<{ endpoint: string; deployment: string; spec: BatchDeploymentSpec }> {
  const endpoint = await catalog.endpoint(call.endpoint);
  if (endpoint === undefined) {
    throw new PlatformError('not_found', 'ENDPOINT_NOT_FOUND', `there is no batch endpoint '${call.endpoint}'`);
  }
  const wanted = call.deployment === '' ? endpoint.spec.defaultDeployment : call.deployment;
  if (wanted === undefined) {
    throw new PlatformError(
      'failed_precondition',
      'NO_DEFAULT_DEPLOYMENT',
      `batch endpoint '${endpoint.name}' has no default deployment: name one by the header azureml-model-deployment, ` +
        `or set it: mooring batch-endpoint update -n ${endpoint.name} --defaults deployment_name=NAME`,
    );
  }
  const deployment = await catalog.deployment(endpoint.name, wanted);
  if (deployment === undefined) {
    const message = `batch endpoint '${endpoint.name}' has no deployment '${wanted}'`;
    throw new PlatformError('not_found', 'DEPLOYMENT_NOT_FOUND', message);
  }
  return { endpoint: endpoint.name, deployment: deployment.name, spec: deployment.spec };
}

function settingsOf(deployed: BatchJobSettings, { overrides }: JobRequest): BatchJobSettings {
  return {
    ...deployed,
    ...overrides,
    retrySettings: { ...deployed.retrySettings, ...overrides.retrySettings },
  };
}

async function outputOf(
  { store }: SubmitDeps,
  request: JobRequest,
  settings: BatchJobSettings,
  name: string,
): Promise<JobRecord['output']> {
  const uri = modelOutput(request);
  if (uri === undefined) return { container: defaultContainer, folder: `azureml/${name}/score` };
  const place = placeOfUri(uri);
  if (place.kind !== 'datastore' || place.path === '') {
    throw PlatformError.invalid('the job', [
      {
        path: 'properties.outputData',
        problem: 'is no folder of a datastore',
        expected: 'azureml://datastores/<name>/paths/<folder>',
      },
    ]);
  }
  const output = { container: place.container, folder: place.path };
  for (const file of [settings.outputFileName, 'manifest.json']) {
    if ((await store.head(output.container, `${output.folder}/${file}`)) === undefined) continue;
    const message = `${output.container}/${output.folder} holds a ${file} already, which is not overwritten; choose another folder or file name`;
    throw new PlatformError('already_exists', 'OUTPUT_EXISTS', message);
  }
  return output;
}
