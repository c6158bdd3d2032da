import { failedReply, reply, type ScoreCall, type ScoreReply } from '@mooring/scoring-stream';
import { attempt, type AttemptDeps } from './attempt.ts';
import { CallDeadline } from './domain/call-deadline.ts';
import { findDeployment, findEndpoint, noInstance } from './domain/choose.ts';
import type { Directory } from './domain/directory.ts';
import { mergeStatistics } from './domain/merge-statistics.ts';

export interface FanOutDeps extends AttemptDeps {
  directory: Directory;
}

const statisticsTimeoutMs = 5_000;

/**
 * Asks every instance of the pinned deployment, or of all deployments, and its model in this process, for their statistics
 * and adds them up per deployment. Instances that do not answer are left out; only when none answers the call fails.
 */
export async function collectStatistics(deps: FanOutDeps, call: ScoreCall, signal: AbortSignal): Promise<ScoreReply> {
  const endpoint = findEndpoint(deps.directory, call.endpoint);
  const targets =
    call.deployment === '' ? [...endpoint.deployments.values()] : [findDeployment(endpoint, call.deployment)];
  const deadline = new CallDeadline(statisticsTimeoutMs, call.deadlineMs, signal, deps.now);
  try {
    const answers = await Promise.all(
      targets.flatMap((target) => {
        const asked = { ...call, modelName: call.modelName || endpoint.name, modelVersion: target.route.name };
        const connected = target.pool.slots.filter((slot) => slot.stream.ready());
        const { inline } = target.pool;
        const inThisProcess = inline === undefined ? [] : [inline.score(asked, deadline.signal)];
        return [...connected.map((slot) => attempt(deps, target, slot, asked, deadline)), ...inThisProcess];
      }),
    );
    const good = answers.filter((answer) => answer.errorCode === '');
    const [first] = good;
    if (first) {
      const body = mergeStatistics(
        call.protocol,
        good.map((answer) => answer.body),
      );
      return reply({ status: 200, contentType: first.contentType, body, pick: 'pin' });
    }
    if (answers[0]) return answers[0];
  } finally {
    deadline.done();
  }
  const pinned = targets.length === 1 ? targets[0] : undefined;
  return failedReply(noInstance(endpoint.name, pinned?.route.name ?? '*', pinned?.pool.describe() ?? 'none'), false);
}
