import { Operation } from '@mooring/contracts/scoring';
import { PlatformError } from '@mooring/errors';
import { errorOf, failedReply, type ScoreCall, type ScoreReply, type ScoringPort } from '@mooring/scoring-stream';
import { addRetryAfter, admit } from './domain/admit.ts';
import { choose, drawMirrors, type Choice } from './domain/choose.ts';
import type { DeploymentEntry, Directory } from './domain/directory.ts';
import { InstanceWait } from './domain/instance-wait.ts';
import { isInference } from './domain/is-inference.ts';
import { refuseHead } from './domain/refuse-head.ts';
import { collectStatistics } from './fan-out.ts';
import { inlineFor, scoreInline } from './inline/score-inline.ts';
import type { MirrorSender } from './mirror.ts';
import type { ObservedSpan } from './observer.ts';
import type { AlikeRequests } from './repeat/alike-requests.ts';
import { runOnInstances, settled, type InstancesDeps } from './run-on-instances.ts';

export interface RouteDeps extends InstancesDeps {
  directory: Directory;
  mirror: MirrorSender;
  /** In [0, 1). */
  random: () => number;
  /** Bytes of requests that one deployment may have in flight. */
  deploymentBytesMax: number;
  /** Where it is absent, every call is run. */
  alike?: AlikeRequests;
}

/** The router as a scoring port: for the gateway in this process, the gRPC handlers and the router's own socket. */
export function createRoute(deps: RouteDeps): ScoringPort {
  const waits = new InstanceWait();
  const scoreAtOnce = (call: ScoreCall, signal: AbortSignal): ScoreReply | Promise<ScoreReply> => {
    const startedMs = deps.now();
    const span = deps.observer.span(call);
    let choice: Choice | undefined;
    const refused = (thrown: unknown): ScoreReply => {
      const error = PlatformError.from(thrown);
      const answer = failedReply(error, false);
      answer.deployment = choice?.deployment.route.name ?? '';
      deps.observer.rejected(choice?.deployment, error);
      return ended(answer, choice, span);
    };
    try {
      let answer: ScoreReply | Promise<ScoreReply>;
      if (call.operation === Operation.OPERATION_STATISTICS) answer = collectStatistics(deps, call, signal);
      else {
        choice = choose(deps.directory, call.endpoint, call.deployment, deps.random);
        const traced = span.traceparent === call.traceparent ? call : { ...call, traceparent: span.traceparent };
        answer =
          choice.deployment.alike && isInference(call.operation)
            ? routeAlike(deps, waits, choice, traced, signal, startedMs)
            : routeLive(deps, waits, choice, traced, signal, startedMs);
      }
      if (!(answer instanceof Promise)) return ended(answer, choice, span);
      return answer.then((given) => ended(given, choice, span)).catch(refused);
    } catch (thrown) {
      return refused(thrown);
    }
  };
  return {
    scoreAtOnce,
    score: async (call, signal) => scoreAtOnce(call, signal),
    refusal: (head) => refuseHead(deps.directory, head, deps.deploymentBytesMax, deps.observer.rejected),
  };
}

function ended(answer: ScoreReply, choice: Choice | undefined, span: ObservedSpan): ScoreReply {
  if (choice !== undefined) {
    answer.pick = choice.pick;
    answer.trafficSlotPlusOne = choice.slot + 1;
  }
  span.end(errorOf(answer));
  return answer;
}

/** A call of a deployment that answers identical ones from its cache, or from one run. */
async function routeAlike(
  deps: RouteDeps,
  waits: InstanceWait,
  choice: Choice,
  call: ScoreCall,
  signal: AbortSignal,
  startedMs: number,
): Promise<ScoreReply> {
  const { alike } = deps;
  if (alike === undefined) return routeLive(deps, waits, choice, call, signal, startedMs);
  const answer = await alike.answer(choice.deployment, call, signal, async (shared, all) =>
    routeLive(deps, waits, choice, shared, all, startedMs),
  );
  if (answer.cache === 'hit' || answer.cache === 'shared') deps.observer.picked(choice.deployment, choice.pick);
  return answer;
}

function routeLive(
  deps: RouteDeps,
  waits: InstanceWait,
  choice: Choice,
  call: ScoreCall,
  signal: AbortSignal,
  startedMs: number,
): ScoreReply | Promise<ScoreReply> {
  const { deployment, endpoint, pick } = choice;
  admit(deployment, call, deps.deploymentBytesMax);
  const inference = isInference(call.operation);
  if (inference) deps.observer.picked(deployment, pick);
  const live = runLive(deps, waits, deployment, call, signal, startedMs);
  let mirrored = '';
  if (inference && pick === 'weight' && endpoint.mirrors.length > 0) {
    const mirrors = drawMirrors(endpoint, deps.random);
    if (mirrors.length > 0) deps.mirror.send(mirrors, call, Promise.resolve(live));
    mirrored = mirrors.map(({ route }) => route.name).join(',');
  }
  return live instanceof Promise
    ? live.then((answer) => noted(deps, deployment, call, answer, mirrored))
    : noted(deps, deployment, call, live, mirrored);
}

function noted(
  { observer }: RouteDeps,
  deployment: DeploymentEntry,
  call: ScoreCall,
  answer: ScoreReply,
  mirrored: string,
): ScoreReply {
  answer.mirrored = mirrored;
  addRetryAfter(deployment, answer);
  if (isInference(call.operation)) observer.answered(deployment, answer);
  return answer;
}

/** In this process where that is possible, else on an instance. */
function runLive(
  deps: RouteDeps,
  waits: InstanceWait,
  target: DeploymentEntry,
  call: ScoreCall,
  signal: AbortSignal,
  startedMs: number,
): ScoreReply | Promise<ScoreReply> {
  const inline = inlineFor(target, call);
  if (inline === undefined) return runOnInstances(deps, waits, target, call, signal, startedMs);
  const sentMs = deps.now();
  const settle = (answer: ScoreReply | undefined): ScoreReply | Promise<ScoreReply> =>
    answer === undefined
      ? runOnInstances(deps, waits, target, call, signal, startedMs)
      : settled(answer, target.route.name, 0, sentMs - startedMs);
  const answer = scoreInline(inline, target, call, signal, deps.now);
  return answer instanceof Promise ? answer.then(settle) : settle(answer);
}
