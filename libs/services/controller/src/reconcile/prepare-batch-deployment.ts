import { assetKeyOf, componentOf } from '@mooring/azureml/component';
import type {
  AssetKind,
  BatchDeploymentSpec,
  BatchLaunch,
  CommandLaunch,
  PipelineBatchDeploymentSpec,
  SpecByKind,
  StepComponent,
} from '@mooring/domain';
import type { Registry } from '../ports.ts';
import { DeploymentFailure } from './deployment-failure.ts';
import { prepareBatch, prepareCommand, type PrepareBatchDeps } from './prepare-batch.ts';
import type { PrepareContext } from './prepare-runtime.ts';

/** What jobs of a deployment will find ready. */
export interface PreparedBatchDeployment {
  warnings: readonly string[];
  /** Python interpreters of its processes. */
  interpreters: readonly string[];
}

/**
 * Gets everything ready that jobs of a batch deployment need, of a pipeline that is the code and the environment of every step, so that
 * mistakes show when it is made. Safe to repeat. Rejects with DeploymentFailure.
 */
export async function prepareBatchDeployment(
  deps: PrepareBatchDeps,
  spec: BatchDeploymentSpec,
  context: PrepareContext,
): Promise<PreparedBatchDeployment> {
  if (spec.type === 'model') return preparedOf([await prepareBatch(deps, spec, context)]);
  const launches: (BatchLaunch | CommandLaunch)[] = [];
  for (const [name, component] of await stepsOf(deps.registry, spec)) {
    const told = { ...context, step: (text: string): void => context.step(`step '${name}': ${text}`) };
    try {
      launches.push(await prepareStep(deps, spec, component, told));
    } catch (thrown) {
      const { code, message, retryable } = DeploymentFailure.from(thrown);
      throw new DeploymentFailure(code, `step '${name}': ${message}`, { retryable, cause: thrown });
    }
  }
  return preparedOf(launches);
}

function preparedOf(launches: readonly (BatchLaunch | CommandLaunch)[]): PreparedBatchDeployment {
  return {
    warnings: [...new Set(launches.flatMap(({ warnings }) => warnings))],
    interpreters: launches.flatMap(({ runtime }) => (runtime.kind === 'onnx' ? [] : [runtime.interpreter])),
  };
}

async function prepareStep(
  deps: PrepareBatchDeps,
  { properties }: PipelineBatchDeploymentSpec,
  component: StepComponent,
  context: PrepareContext,
): Promise<BatchLaunch | CommandLaunch> {
  const { registry } = deps;
  const [codeKey, environment] = await Promise.all([
    component.code && keyOf(registry, 'code', 'codes', component.code),
    component.environment && keyOf(registry, 'environment', 'environments', component.environment),
  ]);
  const common = { properties, environmentVariables: {}, ...(environment && { environment }) };
  if (component.type === 'command') return prepareCommand(deps, { ...common, ...(codeKey && { codeKey }) }, context);
  const code = codeKey && { codeKey, scoringScript: component.entryScript };
  return prepareBatch(deps, { ...common, ...(code && { code }) }, context);
}

async function stepsOf(
  registry: Registry,
  { component: key }: PipelineBatchDeploymentSpec,
): Promise<[string, StepComponent][]> {
  const pipeline = componentOf((await assetOf(registry, 'component', key)).component, 'component').component;
  if (pipeline?.type !== 'pipeline')
    throw new DeploymentFailure('BadArgument', `the component '${key}' is no pipeline`);
  return Promise.all(
    Object.entries(pipeline.steps).map(async ([name, { component: reference = '' }]) => {
      const child = await keyOf(registry, 'component', 'components', reference);
      const read = componentOf((await assetOf(registry, 'component', child)).component, 'component').component;
      if (read === undefined || read.type === 'pipeline')
        throw new DeploymentFailure('BadArgument', `the component '${child}' is none that step '${name}' can have`);
      return [name, read] satisfies [string, StepComponent];
    }),
  );
}

/** `name/version`, of `@latest` the newest. */
async function keyOf(
  registry: Registry,
  kind: AssetKind,
  collection: 'components' | 'codes' | 'environments',
  reference: string,
): Promise<string> {
  const key = assetKeyOf(collection, reference);
  if (key?.endsWith('@latest') === false) return key;
  const versions = key === undefined ? [] : await registry.list(kind, key.slice(0, -'@latest'.length));
  const newest = versions.toSorted((a, b) => (a.system.createdAt < b.system.createdAt ? -1 : 1)).at(-1);
  if (newest !== undefined) return newest.key;
  throw new DeploymentFailure('ResourceNotFound', `there is no ${kind} '${reference.slice(0, 200)}'`);
}

async function assetOf<K extends AssetKind>(registry: Registry, kind: K, key: string): Promise<SpecByKind[K]> {
  const found = await registry.get(kind, key);
  if (found !== undefined) return found.spec;
  throw new DeploymentFailure('ResourceNotFound', `there is no ${kind} '${key}'`);
}
