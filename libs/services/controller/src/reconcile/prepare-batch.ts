import {
  readBatchSettings,
  type BatchLaunch,
  type CommandLaunch,
  type ModelBatchDeploymentSpec,
} from '@mooring/domain';
import type { Limits } from '../domain/instance-types.ts';
import { prepareCommandRuntime, prepareRuntime, type PrepareContext, type RuntimeDeps } from './prepare-runtime.ts';

export interface PrepareBatchDeps extends RuntimeDeps {
  machine: Limits;
}

/** What of a batch deployment decides how its jobs run. */
export type BatchParts = Pick<
  ModelBatchDeploymentSpec,
  'code' | 'environment' | 'environmentVariables' | 'properties'
> & {
  /** Absent for a parallel step of a pipeline, whose models are inputs. */
  model?: string;
};

/** The same of a step that is a command. */
export type CommandParts = Omit<BatchParts, 'model' | 'code'> & { codeKey?: string };

/** Gets everything ready that the processes of a job need. Safe to repeat. Rejects with DeploymentFailure. */
export async function prepareBatch(
  { machine, ...deps }: PrepareBatchDeps,
  spec: BatchParts,
  context: PrepareContext,
): Promise<BatchLaunch> {
  // How many processes there are is the job's to say; each has one worker.
  const { model, runtime, identity, warnings } = await prepareRuntime(deps, { ...spec, workerCount: 1 }, context);
  return {
    runtime,
    ...(model === undefined ? {} : { model }),
    ...identity,
    environmentVariables: spec.environmentVariables,
    limits: limitsOf(spec, machine),
    warnings,
  };
}

/** The same for a step that is a command. */
export async function prepareCommand(
  { machine, ...deps }: PrepareBatchDeps,
  spec: CommandParts,
  context: PrepareContext,
): Promise<CommandLaunch> {
  const { runtime, identity, warnings } = await prepareCommandRuntime(deps, spec, context);
  const { environmentVariables } = spec;
  return { runtime, ...identity, environmentVariables, limits: limitsOf(spec, machine), warnings };
}

function limitsOf({ properties }: Pick<BatchParts, 'properties'>, machine: Limits): Limits {
  const { cpu, memoryMib } = readBatchSettings(properties).settings;
  return {
    cpu: Math.min(cpu ?? machine.cpu, machine.cpu),
    memoryMib: Math.min(memoryMib ?? machine.memoryMib, machine.memoryMib),
  };
}
