import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import {
  readMooringSettings,
  type InstanceSpec,
  type MooringSettings,
  type OnlineDeploymentSpec,
  type ResourceKind,
  type Stored,
} from '@mooring/domain';
import { chooseOnnxFile } from '../domain/find-onnx.ts';
import { resolveLimits, type Limits } from '../domain/instance-types.ts';
import { digestOf } from '../domain/spec-digest.ts';
import type { Artifacts, Environments, Launch, Registry } from '../ports.ts';
import { DeploymentFailure } from './deployment-failure.ts';

export interface PrepareDeps {
  registry: Registry;
  artifacts: Artifacts;
  environments: Environments;
  machine: Limits;
  /** A scorer that nobody probes for this long ends itself. */
  orphanTimeoutMs: number;
}

export interface PrepareContext {
  endpoint: string;
  deployment: string;
  /** What is being done now, for people. */
  step: (text: string) => void;
  /** A line of the preparation log. */
  line: (text: string) => void;
  signal: AbortSignal;
}

const filesMax = 10_000;

/** Gets everything ready that an instance of `spec` needs. Safe to repeat. Rejects with DeploymentFailure. */
export async function prepareLaunch(
  deps: PrepareDeps,
  spec: OnlineDeploymentSpec,
  context: PrepareContext,
): Promise<Launch> {
  const { settings } = readMooringSettings(spec.properties);
  const { limits, warnings } = resolveLimits(spec.instanceType, settings, deps.machine);
  context.step('preparing model');
  const model = await prepareModel(deps, spec, context);
  const runtime =
    spec.code === undefined
      ? { runtime: onnxRuntime(spec, model), identity: {}, warnings: [] }
      : await pythonRuntime(deps, spec, spec.code, model, context);
  const making = makingOf(settings);
  const digest = digestOf({
    model,
    runtime: { ...runtime.runtime, ...runtime.identity },
    limits,
    settings: making,
    requestSettings: spec.requestSettings,
    environmentVariables: spec.environmentVariables,
  });
  const template: Launch['template'] = {
    endpoint: context.endpoint,
    deployment: context.deployment,
    ...(model === undefined ? {} : { model }),
    runtime: runtime.runtime,
    environmentVariables: spec.environmentVariables,
    requestSettings: spec.requestSettings,
    settings,
    threads: settings.threads ?? Math.max(1, Math.floor(limits.cpu)),
    orphanTimeoutMs: orphanTimeout(deps.orphanTimeoutMs, spec),
  };
  context.line(`prepared: ${limits.cpu} cores and ${limits.memoryMib} MiB an instance`);
  return { digest, template, limits, warnings: [...warnings, ...runtime.warnings] };
}

/** The settings that an instance is made by; a change of any other needs no new instances. */
function makingOf({
  mirrorTolerance: _tolerance,
  mirrorIgnore: _ignore,
  responseCacheTtlMs: _ttl,
  responseCacheBytesMax: _bytes,
  singleFlight: _flight,
  ...making
}: MooringSettings): Partial<MooringSettings> {
  return making;
}

/** Longer than any pause between two probes. */
function orphanTimeout(leastMs: number, spec: OnlineDeploymentSpec): number {
  return Math.max(leastMs, 3_000 * Math.max(spec.livenessProbe.periodS, spec.readinessProbe.periodS));
}

async function prepareModel(
  deps: PrepareDeps,
  spec: OnlineDeploymentSpec,
  context: PrepareContext,
): Promise<InstanceSpec['model']> {
  if (spec.model === undefined) return undefined;
  const asset = await getAsset(deps.registry, 'model', spec.model);
  const { path, digest, changed } = await contentOf(deps.artifacts, asset);
  if (changed !== undefined) throw new DeploymentFailure('ContentChanged', changed);
  const [name = spec.model, version = ''] = spec.model.split('/');
  context.line(`model ${name} version ${version}: ${basename(path)}, sha256 ${digest.slice(0, 16)}`);
  return { name, version, path, digest };
}

/** Where the content of a version is; `changed` says so when it is not what was registered. */
async function contentOf(
  artifacts: Artifacts,
  { kind, key, spec }: Stored<'model' | 'code'>,
): Promise<{ path: string; digest: string; changed: string | undefined }> {
  const path = await artifacts.localPath(spec.path);
  const digest = await artifacts.digest(path);
  const registered = await artifacts.registeredDigest(spec.path, digest);
  const changed =
    `the files of ${kind} '${key}' are not those that were registered: their SHA-256 is ${digest}, it was ` +
    `${registered}. Register a new version with the right files, or put back the old ones.`;
  return { path, digest, changed: registered === digest ? undefined : changed };
}

function onnxRuntime(spec: OnlineDeploymentSpec, model: InstanceSpec['model']): InstanceSpec['runtime'] {
  if (model === undefined) {
    throw new DeploymentFailure(
      'BadArgument',
      'the deployment has neither a model nor code: there is nothing to serve',
    );
  }
  const isFile = statSync(model.path).isFile();
  const choice = chooseOnnxFile(isFile ? [basename(model.path)] : filesBelow(model.path));
  if ('problem' in choice) throw new DeploymentFailure('BadArgument', `model '${spec.model}' ${choice.problem}.`);
  return { kind: 'onnx', file: isFile ? model.path : join(model.path, choice.file) };
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .slice(0, filesMax)
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .toSorted();
}

async function pythonRuntime(
  deps: PrepareDeps,
  spec: OnlineDeploymentSpec,
  code: NonNullable<OnlineDeploymentSpec['code']>,
  model: InstanceSpec['model'],
  context: PrepareContext,
): Promise<{ runtime: InstanceSpec['runtime']; identity: Record<string, string>; warnings: readonly string[] }> {
  const asset = await getAsset(deps.registry, 'code', code.codeKey);
  const { path: codeDir, digest: codeDigest, changed } = await contentOf(deps.artifacts, asset);
  // Not a failure: the folder is where scripts run, and one that writes a file there has changed it itself.
  const warnings = changed === undefined ? [] : [changed];
  const environment =
    spec.environment === undefined ? undefined : await getAsset(deps.registry, 'environment', spec.environment);
  context.step('preparing environment');
  const prepared = await prepareEnvironment(deps, environment?.spec, context);
  return {
    runtime: {
      kind: 'python',
      interpreter: prepared.interpreter,
      codeDir,
      scoringScript: code.scoringScript,
      ...(model === undefined ? {} : { modelDir: dirname(model.path) }),
      workerCount: workerCount(spec.environmentVariables['WORKER_COUNT']),
    },
    identity: { codeDigest, environmentDigest: prepared.digest },
    warnings: [...warnings, ...prepared.warnings],
  };
}

async function prepareEnvironment(
  deps: PrepareDeps,
  spec: Parameters<Environments['prepare']>[0],
  context: PrepareContext,
): ReturnType<Environments['prepare']> {
  try {
    return await deps.environments.prepare(spec, { onLine: context.line, signal: context.signal });
  } catch (thrown) {
    throw DeploymentFailure.from(thrown, 'ImageBuildFailure');
  }
}

/** Azure's default is one worker; a value that is no number is the user's mistake that the server would also ignore. */
function workerCount(text: string | undefined): number {
  const count = Number(text ?? '1');
  return Number.isInteger(count) && count >= 1 && count <= 64 ? count : 1;
}

async function getAsset<K extends ResourceKind>(registry: Registry, kind: K, key: string): Promise<Stored<K>> {
  const asset = await registry.get(kind, key);
  if (asset !== undefined) return asset;
  throw new DeploymentFailure(
    'ResourceNotFound',
    `the ${kind} '${key}' that the deployment names does not exist any more`,
  );
}
