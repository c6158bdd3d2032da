import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { CommandRuntimeSpec, InstanceSpec, ResourceKind, Stored } from '@mooring/domain';
import { chooseOnnxFile } from '../domain/find-onnx.ts';
import type { Artifacts, Environments, Registry } from '../ports.ts';
import { DeploymentFailure } from './deployment-failure.ts';

export interface RuntimeDeps {
  registry: Registry;
  artifacts: Artifacts;
  environments: Environments;
}

export interface PrepareContext {
  /** What is being done now, for people. */
  step: (text: string) => void;
  /** A line of the preparation log. */
  line: (text: string) => void;
  signal: AbortSignal;
}

/** What a deployment runs, online or batch. */
export interface RuntimeParts {
  model?: string;
  code?: { codeKey: string; scoringScript: string };
  environment?: string;
  workerCount: number;
}

export interface PreparedRuntime {
  model: InstanceSpec['model'];
  runtime: InstanceSpec['runtime'];
  /** Of a script: what else tells it from another one. */
  identity: { codeDigest?: string; environmentDigest?: string };
  warnings: readonly string[];
}

const filesMax = 10_000;

/** Gets model, code and environment ready. Safe to repeat. Rejects with DeploymentFailure. */
export async function prepareRuntime(
  deps: RuntimeDeps,
  parts: RuntimeParts,
  context: PrepareContext,
): Promise<PreparedRuntime> {
  context.step('preparing model');
  const model = await prepareModel(deps, parts.model, context);
  if (parts.code !== undefined) return pythonRuntime(deps, parts, parts.code, model, context);
  return { model, runtime: onnxRuntime(parts.model, model), identity: {}, warnings: [] };
}

async function prepareModel(
  deps: RuntimeDeps,
  key: string | undefined,
  context: PrepareContext,
): Promise<InstanceSpec['model']> {
  if (key === undefined) return undefined;
  const asset = await getAsset(deps.registry, 'model', key);
  const { path, digest, changed } = await contentOf(deps.artifacts, asset);
  if (changed !== undefined) throw new DeploymentFailure('ContentChanged', changed);
  const [name = key, version = ''] = key.split('/');
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

function onnxRuntime(key: string | undefined, model: InstanceSpec['model']): InstanceSpec['runtime'] {
  if (model === undefined) {
    throw new DeploymentFailure(
      'BadArgument',
      'the deployment has neither a model nor code: there is nothing to serve',
    );
  }
  const isFile = statSync(model.path).isFile();
  const choice = chooseOnnxFile(isFile ? [basename(model.path)] : filesBelow(model.path));
  if ('problem' in choice) throw new DeploymentFailure('BadArgument', `model '${key}' ${choice.problem}.`);
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
  deps: RuntimeDeps,
  { environment, workerCount }: RuntimeParts,
  code: NonNullable<RuntimeParts['code']>,
  model: InstanceSpec['model'],
  context: PrepareContext,
): Promise<PreparedRuntime> {
  const { codeDir, codeDigest, warnings } = await prepareCode(deps, code.codeKey);
  const prepared = await prepareEnvironment(deps, environment, context);
  return {
    model,
    runtime: {
      kind: 'python',
      interpreter: prepared.interpreter,
      codeDir,
      scoringScript: code.scoringScript,
      ...(model === undefined ? {} : { modelDir: dirname(model.path) }),
      workerCount,
    },
    identity: { codeDigest, environmentDigest: prepared.digest },
    warnings: [...warnings, ...prepared.warnings],
  };
}

/** Gets code, if there is any, and environment of a command ready. Safe to repeat. Rejects with DeploymentFailure. */
export async function prepareCommandRuntime(
  deps: RuntimeDeps,
  { codeKey, environment }: { codeKey?: string; environment?: string },
  context: PrepareContext,
): Promise<{ runtime: CommandRuntimeSpec } & Pick<PreparedRuntime, 'identity' | 'warnings'>> {
  const code = codeKey === undefined ? undefined : await prepareCode(deps, codeKey);
  const { interpreter, digest, warnings } = await prepareEnvironment(deps, environment, context);
  return {
    runtime: { kind: 'command', interpreter, ...(code && { codeDir: code.codeDir }) },
    identity: { ...(code && { codeDigest: code.codeDigest }), environmentDigest: digest },
    warnings: [...(code?.warnings ?? []), ...warnings],
  };
}

async function prepareCode(
  deps: RuntimeDeps,
  key: string,
): Promise<{ codeDir: string; codeDigest: string; warnings: readonly string[] }> {
  const asset = await getAsset(deps.registry, 'code', key);
  const { path, digest, changed } = await contentOf(deps.artifacts, asset);
  // Not a failure: the folder is where scripts run, and one that writes a file there has changed it itself.
  return { codeDir: path, codeDigest: digest, warnings: changed === undefined ? [] : [changed] };
}

async function prepareEnvironment(
  deps: RuntimeDeps,
  key: string | undefined,
  context: PrepareContext,
): ReturnType<Environments['prepare']> {
  const asset = key === undefined ? undefined : await getAsset(deps.registry, 'environment', key);
  context.step('preparing environment');
  try {
    return await deps.environments.prepare(asset?.spec, { onLine: context.line, signal: context.signal });
  } catch (thrown) {
    throw DeploymentFailure.from(thrown, 'ImageBuildFailure');
  }
}

async function getAsset<K extends ResourceKind>(registry: Registry, kind: K, key: string): Promise<Stored<K>> {
  const asset = await registry.get(kind, key);
  if (asset !== undefined) return asset;
  throw new DeploymentFailure(
    'ResourceNotFound',
    `the ${kind} '${key}' that the deployment names does not exist any more`,
  );
}
