import { PlatformError } from '@mooring/errors';
import { failedReply, type ScoreCall, type ScoreReply } from '@mooring/scoring-stream';
import { attempt, mayGoElsewhere, type AttemptDeps } from './attempt.ts';
import { CallDeadline } from './domain/call-deadline.ts';
import { handedBack, whyNone, workedOff } from './domain/admit.ts';
import type { InstanceSlot } from './domain/deployment-pool.ts';
import type { DeploymentEntry } from './domain/directory.ts';
import { tellFacts } from './domain/instance-facts.ts';
import type { InstanceWait } from './domain/instance-wait.ts';
import type { RouterObserver } from './observer.ts';

export interface InstancesDeps extends AttemptDeps {
  observer: RouterObserver;
  retriesMax: number;
  instanceWaitMs: number;
}

/** Tries instances until one has started the call, within the call's time. */
export async function runOnInstances(
  deps: InstancesDeps,
  waits: InstanceWait,
  target: DeploymentEntry,
  call: ScoreCall,
  signal: AbortSignal,
  startedMs: number,
): Promise<ScoreReply> {
  const { pool, route } = target;
  const concurrency = route.maxConcurrentRequestsPerInstance;
  const deadline = new CallDeadline(route.requestTimeoutMs, call.deadlineMs, signal, deps.now);
  const tried = new Set<InstanceSlot>();
  let upstreamMs = 0;
  let answer: ScoreReply | undefined;
  let retries = 0;
  let ejections = 0;
  let waited = false;
  pool.entered(call.body.length, deps.now());
  try {
    for (;;) {
      // No await where an instance is at hand: its load must count before the next call of this tick is placed.
      let slot = pool.pick(deps.now(), tried, concurrency);
      if (slot === undefined) {
        slot = await waitForInstance(deps, waits, target, tried, answer, deadline);
        waited = true;
      }
      if (slot === undefined) break;
      if (deadline.passed()) break;
      if (answer !== undefined) {
        // Retries of what was refused for lack of room would make an overload worse.
        if (!handedBack(answer) && !pool.retries.spend()) {
          deps.observer.retryDenied(target);
          break;
        }
        retries += 1;
      }
      const sentMs = deps.now();
      answer = await attempt(deps, target, slot, call, deadline);
      upstreamMs += deps.now() - sentMs;
      if (answer.instanceId === '') answer.instanceId = slot.id;
      tellFacts(answer, slot.facts);
      ejections += answer.ejections;
      if (!mayGoElsewhere(answer, call) || retries >= deps.retriesMax) break;
      // One that is no longer connected is not picked anyway, and may have been started anew when it is connected again.
      if (slot.stream.ready()) tried.add(slot);
    }
  } finally {
    deadline.done();
    pool.left(call.body.length, deps.now(), answer !== undefined && workedOff(call, answer));
  }
  answer ??= failedReply(overWith(deadline) ?? whyNone(target, tried), false);
  answer.ejections = ejections;
  if (waited) answer.coldStart = 'waited';
  return settled(answer, route.name, retries, deps.now() - startedMs - upstreamMs);
}

/** The answer with what the router knows of it. `ownMs`: the time that the router itself took. */
export function settled(answer: ScoreReply, deployment: string, retries: number, ownMs: number): ScoreReply {
  answer.deployment = deployment;
  answer.retries = retries;
  answer.routerUs = Math.max(0, Math.round(ownMs * 1_000));
  return answer;
}

/**
 * No instance can take the call now: waits a little for one that is about to be ready - except where instances are there and
 * have enough to do: then waiting would only be a second queue.
 */
async function waitForInstance(
  deps: InstancesDeps,
  waits: InstanceWait,
  { pool, route }: DeploymentEntry,
  tried: ReadonlySet<InstanceSlot>,
  last: ScoreReply | undefined,
  deadline: CallDeadline,
): Promise<InstanceSlot | undefined> {
  if (last?.errorCode === 'resource_exhausted' || pool.connected(tried)) return undefined;
  const look = (): InstanceSlot | undefined => pool.pick(deps.now(), tried, route.maxConcurrentRequestsPerInstance);
  // One that carries an idempotency key and lost its instance has come too far to be sent away for another's short absence.
  const mostMs = last?.started === true ? Infinity : deps.instanceWaitMs;
  return waits.wait(look, Math.min(mostMs, deadline.remainingMs()), deadline.signal);
}

function overWith(deadline: CallDeadline): PlatformError | undefined {
  if (!deadline.passed()) return undefined;
  return deadline.signal.aborted ? PlatformError.from(deadline.signal.reason) : deadline.expired();
}
