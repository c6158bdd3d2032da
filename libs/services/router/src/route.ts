import { Operation } from '@mooring/contracts/scoring';
import { PlatformError } from '@mooring/errors';
import { errorOf, failedReply, type ScoreCall, type ScoreReply, type ScoringPort } from '@mooring/scoring-stream';
import { attempt, mayGoElsewhere, type AttemptDeps } from './attempt.ts';
import { CallDeadline } from './domain/call-deadline.ts';
import { addRetryAfter, admit, handedBack, whyNone, workedOff } from './domain/admit.ts';
import { choose, drawMirrors, type Choice } from './domain/choose.ts';
import type { InstanceSlot } from './domain/deployment-pool.ts';
import type { DeploymentEntry, Directory } from './domain/directory.ts';
import { tellFacts } from './domain/instance-facts.ts';
import { InstanceWait } from './domain/instance-wait.ts';
import { isInference } from './domain/is-inference.ts';
import { refuseHead } from './domain/refuse-head.ts';
import { collectStatistics } from './fan-out.ts';
import { inlineFor, scoreInline } from './inline/score-inline.ts';
import type { MirrorSender } from './mirror.ts';
import type { ObservedSpan, RouterObserver } from './observer.ts';
import type { AlikeRequests } from './repeat/alike-requests.ts';

export interface RouteDeps extends AttemptDeps {
  directory: Directory;
  mirror: MirrorSender;
  observer: RouterObserver;
  /** In [0, 1). */
  random: () => number;
  retriesMax: number;
  instanceWaitMs: number;
  /** Bytes of requests that one deployment may have in flight. */
  deploymentBytesMax?: number;
  /** Where it is absent, every call is run. */
  alike?: AlikeRequests;
}

const deploymentBytesDefault = 512 * 2 ** 20;

/** The router as a scoring port: for the gateway in this process, the gRPC handlers and the router's own socket. */
export function createRoute(deps: RouteDeps): ScoringPort {
  const waits = new InstanceWait();
  const bytesMax = deps.deploymentBytesMax ?? deploymentBytesDefault;
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
    refusal: (head) => refuseHead(deps.directory, head, bytesMax, deps.observer.rejected),
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
  admit(deployment, call, deps.deploymentBytesMax ?? deploymentBytesDefault);
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

/** Tries instances until one has started the call, within the call's time. */
async function runOnInstances(
  deps: RouteDeps,
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
function settled(answer: ScoreReply, deployment: string, retries: number, ownMs: number): ScoreReply {
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
  deps: RouteDeps,
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
