import { answerOf, failedReply, type ScoreCall, type ScoreReply } from '@mooring/scoring-stream';
import { mayGoElsewhere } from '../attempt.ts';
import { expiredError } from '../domain/call-deadline.ts';
import type { DeploymentEntry } from '../domain/directory.ts';
import { isInference } from '../domain/is-inference.ts';
import type { Clock, InlinePort } from '../ports.ts';

/** The deployment's model in this process, if it has one and it takes this call. */
export function inlineFor({ pool }: DeploymentEntry, call: ScoreCall): InlinePort | undefined {
  const { inline } = pool;
  if (inline === undefined || call.body.length > inline.bodyBytesMax) return undefined;
  return isInference(call.operation) ? inline : undefined;
}

/**
 * Scores in this process; undefined when an instance must take the call. No timer watches it: a run takes less than a
 * millisecond, and the time is looked at right before it.
 */
export function scoreInline(
  inline: InlinePort,
  { pool, route }: DeploymentEntry,
  call: ScoreCall,
  signal: AbortSignal,
  now: Clock,
): ScoreReply | undefined | Promise<ScoreReply | undefined> {
  const callers = call.deadlineMs > 0 && call.deadlineMs < route.requestTimeoutMs;
  const deadlineMs = callers ? call.deadlineMs : route.requestTimeoutMs;
  const startedMs = now();
  const left = (answer: ScoreReply): ScoreReply | undefined => {
    const expired = answer.errorCode === 'deadline_exceeded';
    const elsewhere = !expired && mayGoElsewhere(answer, call);
    const endedMs = now();
    if (answer.errorCode === '') pool.noteServiceTime(endedMs - startedMs);
    pool.left(call.body.length, endedMs, answer.started && !expired && !elsewhere);
    if (expired) return failedReply(expiredError(callers ? 'caller' : 'deployment', deadlineMs), answer.started);
    return elsewhere ? undefined : answer;
  };
  pool.entered(call.body.length, startedMs);
  const answer = answerOf(inline, { ...call, deployment: route.name, deadlineMs }, signal);
  return answer instanceof Promise ? answer.then(left) : left(answer);
}
