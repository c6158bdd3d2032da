import { isTerminal, type OnlineDeploymentSpec, type Stored } from '@mooring/domain';
import type { Wanted } from '../domain/rolling-plan.ts';
import type { AppliedDeployment, Launch, Probes } from '../ports.ts';

/** What should run, and what it is made of once that is prepared. */
export interface Side {
  spec: OnlineDeploymentSpec;
  launch: Launch | undefined;
}

/** What should run, as far as it is known now. */
export interface Target {
  wanted: Side | undefined;
  /** What served before, while an update is not done. */
  fallback: Side | undefined;
}

export const nothing: Target = { wanted: undefined, fallback: undefined };

/** The spec that should run: the one asked for, or after a failure the last that served. */
export function targetOf(
  { state, spec }: Pick<Stored<'online-deployment'>, 'state' | 'spec'>,
  applied: AppliedDeployment | undefined,
  launchOf: (spec: OnlineDeploymentSpec) => Launch | undefined,
): Target {
  const inProgress = !isTerminal(state);
  const wanted = inProgress || state === 'Succeeded' ? spec : applied?.spec;
  const fallback = inProgress ? applied?.spec : undefined;
  const side = (one: OnlineDeploymentSpec | undefined): Side | undefined =>
    one === undefined ? undefined : { spec: one, launch: launchOf(one) };
  return { wanted: side(wanted), fallback: side(fallback) };
}

export function launchesOf({ wanted, fallback }: Target): Launch[] {
  return [wanted?.launch, fallback?.launch].filter((launch) => launch !== undefined);
}

/** Nothing may be decided yet: something should run, but not even its digest is known. */
export function isUnknown(target: Target): boolean {
  return target.wanted !== undefined && launchesOf(target).length === 0;
}

/** What the plan is made for. While the new spec is being prepared, the old one is what should run. */
export function planFor({ wanted, fallback }: Target): { wanted: Wanted | undefined; fallback: Wanted | undefined } {
  if (wanted?.launch === undefined && fallback?.launch !== undefined) {
    return { wanted: wantedOf(fallback), fallback: undefined };
  }
  return { wanted: wantedOf(wanted), fallback: wantedOf(fallback) };
}

export function wantedOf(side: Side | undefined): Wanted | undefined {
  return side?.launch === undefined ? undefined : { digest: side.launch.digest, count: side.spec.instanceCount };
}

const patientProbe = { initialDelayS: 10, periodS: 10, timeoutS: 2, successThreshold: 1, failureThreshold: 30 };

/** For instances of which nothing is known yet. */
export const patientProbes: Probes = { readiness: patientProbe, liveness: patientProbe };

/** An update's probes are for its own instances: those that serve meanwhile keep theirs. */
export function probesOf({ wanted, fallback }: Target, digest: string): Probes {
  const isOld = fallback !== undefined && wanted?.launch?.digest !== digest;
  const spec = isOld ? fallback.spec : wanted?.spec;
  return spec === undefined ? patientProbes : { readiness: spec.readinessProbe, liveness: spec.livenessProbe };
}

const graceBeyondRequestMs = 5_000;

/** How long an instance may take to finish its calls: the longest request that may be open, and a little. */
export function graceMsOf({ wanted, fallback }: Target): number {
  const timeouts = [wanted, fallback].map((side) => side?.spec.requestSettings.requestTimeoutMs ?? 0);
  return Math.max(...timeouts) + graceBeyondRequestMs;
}
