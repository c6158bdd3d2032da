import type { ErrorCode } from '@mooring/errors';
import { PlatformError } from '@mooring/errors';
import type { Call, Reply, Timing } from '@mooring/contracts/scoring';

/** A scoring call without the id that it has on one stream. `body` is the caller's bytes. */
export type ScoreCall = Omit<Call, 'id'>;
/** The answer to one call. A failure is an answer too: `errorCode` is set. */
export type ScoreReply = Omit<Reply, 'id'>;

/** What is known of a call before its body is there. */
export interface CallHead extends Pick<
  ScoreCall,
  'operation' | 'endpoint' | 'deployment' | 'deadlineMs' | 'priority' | 'idempotencyKey'
> {
  /** As far as the caller said. */
  bodyBytes: number;
}

/**
 * Where a scoring call can be sent: a router in this process, a router or a scorer behind a stream, a model runtime.
 * Never rejects: what goes wrong comes back as a reply with `errorCode`, and `started` says whether the model may have
 * seen the call. `signal` aborts when the caller is gone; the answer is then thrown away.
 */
export interface ScoringPort {
  score(call: ScoreCall, signal: AbortSignal): Promise<ScoreReply>;
  /**
   * The answer to a call that would be refused now whatever its body holds, so that nobody need read that; undefined for
   * any other. Absent where it cannot be known.
   */
  refusal?(head: CallHead): ScoreReply | undefined;
  /** As `score`, but where the answer takes no waiting it is given as it is. Absent where all take waiting. */
  scoreAtOnce?(call: ScoreCall, signal: AbortSignal): ScoreReply | Promise<ScoreReply>;
}

/**
 * What `port` answers, at once if it can. A model that runs in this thread in microseconds answers through eight layers; where
 * each of them waited for the next, that took about 6 us of CPU.
 */
export function answerOf(port: ScoringPort, call: ScoreCall, signal: AbortSignal): ScoreReply | Promise<ScoreReply> {
  return port.scoreAtOnce === undefined ? port.score(call, signal) : port.scoreAtOnce(call, signal);
}

const noTiming: Timing = { totalUs: 0, queueUs: 0, batchWaitUs: 0, preprocessUs: 0, computeUs: 0, postprocessUs: 0 };
const empty = Buffer.alloc(0);

/** A reply with everything at its default, to be filled in: spreading fields into one takes six times as long. */
export function emptyReply(): ScoreReply {
  return {
    status: 0,
    contentType: '',
    headers: [],
    inferenceHeaderLengthPlusOne: 0,
    timing: noTiming,
    deployment: '',
    instanceId: '',
    batchId: '',
    batchRows: 0,
    rows: 0,
    errorCode: '',
    errorReason: '',
    errorMessage: '',
    retryAfterMs: 0,
    started: true,
    retries: 0,
    pick: '',
    routerUs: 0,
    body: empty,
    cache: '',
    idempotency: '',
    trafficSlotPlusOne: 0,
    ejections: 0,
    modelDigest: '',
    coldStart: '',
    placement: '',
    mirrored: '',
  };
}

/** A reply with `fields` set and everything else at its default. */
export function reply(fields: Partial<ScoreReply>): ScoreReply {
  return Object.assign(emptyReply(), fields);
}

/** `error` as a reply. `started` = the model may have seen the call, so no other instance may take it. */
export function failedReply(error: PlatformError, started: boolean): ScoreReply {
  return reply({
    errorCode: error.code,
    errorReason: error.reason,
    errorMessage: error.message,
    retryAfterMs: error.retryAfterMs ?? 0,
    status: error.modelStatus ?? 0,
    started,
  });
}

/** The error that a failed reply carries, or undefined for an answer. */
export function errorOf(answer: ScoreReply): PlatformError | undefined {
  if (answer.errorCode === '') return undefined;
  return PlatformError.refusal(answer.errorCode as ErrorCode, answer.errorReason, answer.errorMessage, {
    ...(answer.retryAfterMs > 0 ? { retryAfterMs: answer.retryAfterMs } : {}),
    ...(answer.status > 0 ? { modelStatus: answer.status } : {}),
  });
}
