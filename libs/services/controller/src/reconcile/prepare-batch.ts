import { readBatchSettings, type BatchLaunch, type ModelBatchDeploymentSpec } from '@mooring/domain';
import type { Limits } from '../domain/instance-types.ts';
import { prepareRuntime, type PrepareContext, type RuntimeDeps } from './prepare-runtime.ts';

export interface PrepareBatchDeps extends RuntimeDeps {
  machine: Limits;
}

/** What of a batch deployment decides how its jobs run. */
export type BatchParts = Pick<
  ModelBatchDeploymentSpec,
  'model' | 'code' | 'environment' | 'environmentVariables' | 'properties'
>;

/** Gets everything ready that the processes of a job need. Safe to repeat. Rejects with DeploymentFailure. */
export async function prepareBatch(
  { machine, ...deps }: PrepareBatchDeps,
  spec: BatchParts,
  context: PrepareContext,
): Promise<BatchLaunch> {
  const { cpu, memoryMib } = readBatchSettings(spec.properties).settings;
  // How many processes there are is the job's to say; each has one worker.
  const { model, runtime, identity, warnings } = await prepareRuntime(deps, { ...spec, workerCount: 1 }, context);
  return {
    runtime,
    ...(model === undefined ? {} : { model }),
    ...identity,
    environmentVariables: spec.environmentVariables,
    limits: {
      cpu: Math.min(cpu ?? machine.cpu, machine.cpu),
      memoryMib: Math.min(memoryMib ?? machine.memoryMib, machine.memoryMib),
    },
    warnings,
  };
}
