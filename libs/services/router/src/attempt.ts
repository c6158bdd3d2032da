import { boundary, PlatformError, type ErrorCode } from '@mooring/errors';
import { failedReply, type ScoreCall, type ScoreReply } from '@mooring/scoring-stream';
import type { CallDeadline } from './domain/call-deadline.ts';
import type { InstanceSlot } from './domain/deployment-pool.ts';
import type { DeploymentEntry } from './domain/directory.ts';
import { noteFailure, noteSuccess, type EjectionRule } from './domain/ejection.ts';
import { isInference } from './domain/is-inference.ts';
import type { Clock } from './ports.ts';

export interface AttemptDeps {
  ejection: EjectionRule;
  now: Clock;
  onEjected: (deployment: DeploymentEntry, slot: InstanceSlot) => void;
}

/** Gives one call to one instance and notes what the answer says about the instance. Never rejects. */
export async function attempt(
  deps: AttemptDeps,
  target: DeploymentEntry,
  slot: InstanceSlot,
  call: ScoreCall,
  deadline: CallDeadline,
): Promise<ScoreReply> {
  const { pool } = target;
  const sentAtMs = deps.now();
  slot.inFlight += 1;
  const forwarded = { ...call, deployment: target.route.name, deadlineMs: deadline.remainingMs() };
  try {
    const answer = await deadline.race(slot.stream.score(forwarded, deadline.signal));
    const ejected = noteAnswer(deps, target, slot, answer, deadline.owner === 'deployment');
    if (isInference(call.operation)) noteTime(target, slot, answer, deps.now(), sentAtMs);
    const told = answer.errorCode === 'deadline_exceeded' ? failedReply(deadline.expired(), answer.started) : answer;
    told.ejections = ejected ? 1 : 0;
    return told;
  } catch (thrown) {
    // A ScoringPort never rejects; should one do so, its call may have been started.
    return failedReply(PlatformError.from(thrown), true);
  } finally {
    pool.release(slot);
  }
}

/** What the call took in the model, without waiting: how fast the deployment is, and whether this instance got slow. */
function noteTime(
  { pool, route }: DeploymentEntry,
  slot: InstanceSlot,
  answer: ScoreReply,
  nowMs: number,
  sentAtMs: number,
): void {
  const most = 2 * route.maxConcurrentRequestsPerInstance;
  if (answer.errorCode === 'scoring_timeout') slot.limit.note(nowMs - sentAtMs, slot.inFlight, most, nowMs);
  if (answer.errorCode !== '') return;
  const { totalUs = 0, queueUs = 0, batchWaitUs = 0 } = answer.timing ?? {};
  pool.noteServiceTime(totalUs > 0 ? (totalUs - queueUs) / 1_000 : nowMs - sentAtMs);
  if (totalUs > 0) slot.limit.note((totalUs - queueUs - batchWaitUs) / 1_000, slot.inFlight, most, nowMs);
}

/** True when the answer ejects the instance. */
function noteAnswer(
  deps: AttemptDeps,
  target: DeploymentEntry,
  slot: InstanceSlot,
  answer: ScoreReply,
  deploymentsOwnLimit: boolean,
): boolean {
  const timedOut = answer.errorCode === 'scoring_timeout' || answer.errorCode === 'deadline_exceeded';
  const lost = answer.errorReason === 'INSTANCE_LOST';
  if (!lost && !timedOut) {
    if (answer.errorCode !== 'cancelled') noteSuccess(slot.health);
    return false;
  }
  if (timedOut && !deploymentsOwnLimit) return false;
  const nowMs = deps.now();
  const others = target.pool.othersInRotation(slot, nowMs);
  const ejected = noteFailure(slot.health, deps.ejection, nowMs, others);
  if (ejected) deps.onEjected(target, slot);
  return ejected;
}

/**
 * True when another instance may take the call: it never reached the model, and trying again makes sense at all. Of one that
 * did reach it only its caller can say that it may run again, by a key that says what is the same request.
 */
export function mayGoElsewhere(answer: ScoreReply, call: ScoreCall): boolean {
  if (answer.errorReason === 'INSTANCE_LOST' && call.idempotencyKey !== '') return true;
  return answer.errorCode !== '' && !answer.started && boundary(answer.errorCode as ErrorCode).retry === 'yes';
}
