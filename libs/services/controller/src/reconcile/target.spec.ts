import { describe, expect, it } from 'vitest';
import type { OnlineDeploymentSpec, ProvisioningState } from '@mooring/domain';
import type { Launch } from '../ports.ts';
import { deploymentSpec } from '@mooring/domain/testing';
import { graceMsOf, isUnknown, nothing, patientProbes, planFor, probesOf, targetOf } from './target.ts';

const before = deploymentSpec({ model: 'iris/1', instanceCount: 2 });
const after = deploymentSpec({
  model: 'iris/2',
  instanceCount: 3,
  livenessProbe: { ...before.livenessProbe, timeoutS: 1 },
  requestSettings: { ...before.requestSettings, requestTimeoutMs: 60_000 },
});
const applied = { generation: 1, spec: before };
const launches = (...prepared: OnlineDeploymentSpec[]) => {
  return (spec: OnlineDeploymentSpec): Launch | undefined =>
    prepared.includes(spec) ? ({ digest: spec.model } as Launch) : undefined;
};
const target = (state: ProvisioningState, ...prepared: OnlineDeploymentSpec[]) =>
  targetOf({ state, spec: after }, applied, launches(...prepared));

describe('targetOf', () => {
  it.each([
    { state: 'Updating', want: { wanted: after, fallback: before } },
    { state: 'Succeeded', want: { wanted: after, fallback: undefined } },
    { state: 'Failed', want: { wanted: before, fallback: undefined } },
  ] as const)('of a deployment that is $state', ({ state, want }) => {
    const { wanted, fallback } = target(state);
    expect({ wanted: wanted?.spec, fallback: fallback?.spec }).toEqual(want);
  });

  it('is nothing for a deployment that failed before it ever served', () => {
    expect(targetOf({ state: 'Failed', spec: after }, undefined, launches())).toEqual(nothing);
    expect(isUnknown(nothing)).toBe(false);
  });
});

describe('planFor', () => {
  it('keeps what served running while the update is being prepared', () => {
    expect(planFor(target('Updating', before))).toEqual({
      wanted: { digest: 'iris/1', count: 2 },
      fallback: undefined,
    });
  });

  it('falls back on what served once the update is prepared', () => {
    expect(planFor(target('Updating', before, after))).toEqual({
      wanted: { digest: 'iris/2', count: 3 },
      fallback: { digest: 'iris/1', count: 2 },
    });
  });

  it('has nothing to go by while neither is prepared: running instances are left alone', () => {
    expect(isUnknown(target('Updating'))).toBe(true);
  });
});

describe('probesOf', () => {
  it('an update does not change the probes of the instances that serve meanwhile', () => {
    const both = target('Updating', before, after);
    expect(probesOf(both, 'iris/1').liveness).toEqual(before.livenessProbe);
    expect(probesOf(both, 'iris/2').liveness).toEqual(after.livenessProbe);
  });

  it('new probes of the same instances count at once', () => {
    const same = { ...after, model: before.model ?? '' };
    const { wanted, fallback } = targetOf({ state: 'Updating', spec: same }, applied, launches(before, same));
    expect(probesOf({ wanted, fallback }, 'iris/1').liveness).toEqual(after.livenessProbe);
  });

  it('is patient with instances of which nothing is known', () => {
    expect(probesOf(nothing, 'iris/1')).toBe(patientProbes);
  });
});

it('an instance may take as long as the longest request of the old and the new settings, and a little', () => {
  expect(graceMsOf(target('Updating'))).toBe(65_000);
});
