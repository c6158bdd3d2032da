import type { InstanceRecord, ModelPlacement } from '@mooring/domain';
import type { ObservedInstance } from '../domain/rolling-plan.ts';
import type { InlineBans, InstanceHandle } from '../ports.ts';

/** One instance with what the controller decided about it. */
export interface Slot {
  handle: InstanceHandle;
  restarts: number;
  /** Set once it shall go: since when routers were told, and the stop once it began. */
  leaving?: { toldAtMs: number | undefined; stopping: Promise<void> | undefined; graceMs: number };
}

export function observe({ handle, leaving }: Slot): ObservedInstance {
  const phase = leaving !== undefined || handle.phase === 'ended' ? 'draining' : handle.phase;
  return {
    id: handle.id,
    digest: handle.specDigest,
    phase,
    wasReady: handle.readyAtMs !== undefined,
    startedAtMs: handle.startedAtMs,
  };
}

/** What routers and people see of it. */
export function recordOf(slot: Slot, bans: InlineBans): InstanceRecord {
  const { handle, restarts, leaving } = slot;
  const placement = allowedPlacement(handle, bans);
  return {
    id: handle.id,
    endpoint: handle.endpoint,
    deployment: handle.deployment,
    specDigest: handle.specDigest,
    state: stateOf(slot),
    address: handle.address,
    pid: handle.pid,
    startTicks: handle.startTicks,
    startedAt: new Date(handle.startedAtMs).toISOString(),
    restarts,
    ...(handle.readyAtMs === undefined ? {} : { readyAt: new Date(handle.readyAtMs).toISOString() }),
    ...(handle.reason === undefined || leaving !== undefined ? {} : { reason: handle.reason }),
    ...(handle.modelDigest === undefined ? {} : { modelDigest: handle.modelDigest }),
    ...(placement === undefined ? {} : { placement }),
  };
}

/** A model that took a process down stays out of the data plane, whatever its scorer measured. */
function allowedPlacement({ placement, modelDigest }: InstanceHandle, bans: InlineBans): ModelPlacement | undefined {
  const banned = modelDigest === undefined ? undefined : bans.why(modelDigest);
  if (placement?.chosen !== 'inline' || banned === undefined) return placement;
  return { chosen: 'process', why: `never inline again: ${banned}`, runUs: placement.runUs };
}

function stateOf({ handle, leaving }: Slot): InstanceRecord['state'] {
  if (leaving !== undefined) return 'draining';
  if (handle.phase === 'ready') return 'ready';
  return handle.phase === 'starting' ? 'starting' : 'failed';
}
