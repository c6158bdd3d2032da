/** What should run: this many instances of this spec. */
export interface Wanted {
  digest: string;
  count: number;
}

export interface ObservedInstance {
  id: string;
  digest: string;
  phase: 'starting' | 'ready' | 'unready' | 'draining';
  /** It has served: it may come back from `unready`, and its calls are drained before it is stopped. */
  wasReady: boolean;
  startedAtMs: number;
}

export type Action =
  /** `number` of `of`: for people. */
  | { do: 'start'; digest: string; number: number; of: number }
  /** Take out of rotation, finish what is open, then stop. */
  | { do: 'drain'; id: string }
  /** It never served: stop without ceremony. */
  | { do: 'stop'; id: string };

export interface RollingPlan {
  actions: Action[];
  /** What is wanted runs and serves, and nothing else is left. */
  settled: boolean;
}

export interface RollingSituation {
  /** Undefined = nothing should run. */
  wanted: Wanted | undefined;
  /** What served before, kept alive while no instance of `wanted` serves yet. */
  fallback: Wanted | undefined;
  instances: readonly ObservedInstance[];
  /** False while the spec is being prepared or a back-off runs. */
  mayStart: (digest: string) => boolean;
}

/** Instances that load at the same time; more would only slow each other down. */
const startingMax = 4;

/**
 * The next steps towards what is wanted. Asked again after every change; steps that were taken show up in `instances`.
 * The rule: one more than needed is started, an instance that serves is only taken away when `count` others serve.
 */
export function planRoll(situation: RollingSituation): RollingPlan {
  const { wanted, fallback, instances } = situation;
  if (wanted === undefined) return { actions: takeAll(instances), settled: instances.length === 0 };
  const staying = instances.filter((instance) => instance.phase !== 'draining');
  const current = staying.filter((instance) => instance.digest === wanted.digest);
  const old = staying.filter((instance) => instance.digest !== wanted.digest);
  const currentReady = countReady(current);
  const actions = [
    ...startCurrent(situation, wanted, current, old),
    ...(currentReady === 0 ? startFallback(situation, wanted, old) : []),
    ...removeOld(wanted, fallback, current, old, instances.length - staying.length),
    ...(old.length === 0 ? removeSurplus(wanted, current) : []),
  ];
  const settled = currentReady === wanted.count && instances.length === wanted.count;
  return { actions, settled };
}

function countReady(instances: readonly ObservedInstance[]): number {
  return instances.filter((instance) => instance.phase === 'ready').length;
}

function takeAway(instance: ObservedInstance): Action {
  return instance.wasReady ? { do: 'drain', id: instance.id } : { do: 'stop', id: instance.id };
}

function takeAll(instances: readonly ObservedInstance[]): Action[] {
  return instances.filter((instance) => instance.phase !== 'draining').map(takeAway);
}

function startCurrent(
  { instances, mayStart }: RollingSituation,
  wanted: Wanted,
  current: readonly ObservedInstance[],
  old: readonly ObservedInstance[],
): Action[] {
  if (!mayStart(wanted.digest)) return [];
  const missing = wanted.count - current.length;
  // Draining instances still hold their memory, so they count.
  const room = Math.max(wanted.count, old.length) + (instances.length > current.length ? 1 : 0) - instances.length;
  const starting = current.filter((instance) => instance.phase === 'starting' && !instance.wasReady).length;
  const starts = Math.max(0, Math.min(missing, room, startingMax - starting));
  return Array.from({ length: starts }, (_, i) => ({
    do: 'start',
    digest: wanted.digest,
    number: current.length + i + 1,
    of: wanted.count,
  }));
}

/** An old instance died before the first new one serves: the deployment must not be worse off for the update. */
function startFallback(
  { fallback, mayStart }: RollingSituation,
  wanted: Wanted,
  old: readonly ObservedInstance[],
): Action[] {
  if (fallback === undefined || fallback.digest === wanted.digest || !mayStart(fallback.digest)) return [];
  const running = old.filter((instance) => instance.digest === fallback.digest).length;
  const missing = Math.max(0, fallback.count - running);
  return Array.from({ length: missing }, (_, i) => ({
    do: 'start',
    digest: fallback.digest,
    number: running + i + 1,
    of: fallback.count,
  }));
}

function removeOld(
  wanted: Wanted,
  fallback: Wanted | undefined,
  current: readonly ObservedInstance[],
  old: readonly ObservedInstance[],
  draining: number,
): Action[] {
  const currentReady = countReady(current);
  const complete = currentReady >= wanted.count;
  const actions: Action[] = [];
  // Of a spec that is neither wanted nor the one to fall back on, and never served: an update that was overtaken.
  const useless = old.filter((one) => !one.wasReady && (complete || one.digest !== fallback?.digest));
  actions.push(...useless.map(takeAway));
  if (currentReady < Math.min(1, wanted.count)) return actions;
  const served = old
    .filter((one) => one.wasReady)
    .toSorted((a, b) => Number(a.phase === 'ready') - Number(b.phase === 'ready') || a.startedAtMs - b.startedAtMs);
  let ready = currentReady + countReady(old);
  // While more are to be started one goes at a time, so that memory stays within one instance more than needed.
  let mayLeave = complete ? served.length : Math.max(0, 1 - draining);
  for (const one of served) {
    const left = one.phase === 'ready' ? ready - 1 : ready;
    if (mayLeave === 0 || left < wanted.count) break;
    actions.push(takeAway(one));
    ready = left;
    mayLeave -= 1;
  }
  return actions;
}

/** `instance_count` went down: those that do not serve go first, then the youngest. */
function removeSurplus(wanted: Wanted, current: readonly ObservedInstance[]): Action[] {
  const surplus = current.length - wanted.count;
  if (surplus <= 0) return [];
  return current
    .toSorted((a, b) => Number(a.phase === 'ready') - Number(b.phase === 'ready') || b.startedAtMs - a.startedAtMs)
    .slice(0, surplus)
    .map(takeAway);
}
