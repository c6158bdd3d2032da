import { failedReply, type ScoreCall, type ScoreReply } from '@mooring/scoring-stream';
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
 * Scores in this process. Resolves with undefined when an instance must take the call. No timer watches it: a run takes
 * less than a millisecond, and the time is looked at right before it.
 */
export async function scoreInline(
  inline: InlinePort,
  { pool, route }: DeploymentEntry,
  call: ScoreCall,
  signal: AbortSignal,
  now: Clock,
): Promise<ScoreReply | undefined> {
  const callers = call.deadlineMs > 0 && call.deadlineMs < route.requestTimeoutMs;
  const deadlineMs = callers ? call.deadlineMs : route.requestTimeoutMs;
  const startedMs = now();
  let ran = false;
  pool.entered(call.body.length, startedMs);
  try {
    const answer = await inline.score({ ...call, deployment: route.name, deadlineMs }, signal);
    if (answer.errorCode === 'deadline_exceeded') {
      return failedReply(expiredError(callers ? 'caller' : 'deployment', deadlineMs), answer.started);
    }
    if (mayGoElsewhere(answer, call)) return undefined;
    ran = answer.started;
    if (answer.errorCode === '') pool.noteServiceTime(now() - startedMs);
    return answer;
  } finally {
    pool.left(call.body.length, now(), ran);
  }
}
