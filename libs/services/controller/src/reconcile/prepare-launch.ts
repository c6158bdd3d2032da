import { readMooringSettings, type MooringSettings, type OnlineDeploymentSpec } from '@mooring/domain';
import { resolveLimits, type Limits } from '../domain/instance-types.ts';
import { digestOf } from '../domain/spec-digest.ts';
import type { Launch } from '../ports.ts';
import { prepareRuntime, type PrepareContext, type RuntimeDeps } from './prepare-runtime.ts';

export interface PrepareDeps extends RuntimeDeps {
  machine: Limits;
  /** A scorer that nobody probes for this long ends itself. */
  orphanTimeoutMs: number;
}

export interface LaunchContext extends PrepareContext {
  endpoint: string;
  deployment: string;
}

/** Gets everything ready that an instance of `spec` needs. Safe to repeat. Rejects with DeploymentFailure. */
export async function prepareLaunch(
  deps: PrepareDeps,
  spec: OnlineDeploymentSpec,
  context: LaunchContext,
): Promise<Launch> {
  const { settings } = readMooringSettings(spec.properties);
  const { limits, warnings } = resolveLimits(spec.instanceType, settings, deps.machine);
  const parts = { ...spec, workerCount: workerCount(spec.environmentVariables['WORKER_COUNT']) };
  const { model, runtime, identity, warnings: further } = await prepareRuntime(deps, parts, context);
  const making = makingOf(settings);
  const digest = digestOf({
    model,
    runtime: { ...runtime, ...identity },
    limits,
    settings: making,
    requestSettings: spec.requestSettings,
    environmentVariables: spec.environmentVariables,
  });
  const template: Launch['template'] = {
    endpoint: context.endpoint,
    deployment: context.deployment,
    ...(model === undefined ? {} : { model }),
    runtime,
    environmentVariables: spec.environmentVariables,
    requestSettings: spec.requestSettings,
    settings,
    threads: settings.threads ?? Math.max(1, Math.floor(limits.cpu)),
    orphanTimeoutMs: orphanTimeout(deps.orphanTimeoutMs, spec),
  };
  context.line(`prepared: ${limits.cpu} cores and ${limits.memoryMib} MiB an instance`);
  return { digest, template, limits, warnings: [...warnings, ...further] };
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

/** Azure's default is one worker; a value that is no number is the user's mistake that the server would also ignore. */
function workerCount(text: string | undefined): number {
  const count = Number(text ?? '1');
  return Number.isInteger(count) && count >= 1 && count <= 64 ? count : 1;
}
