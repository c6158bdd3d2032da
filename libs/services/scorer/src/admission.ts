import { Operation, Priority } from '@mooring/contracts/scoring';
import { PlatformError } from '@mooring/errors';
import { failedReply, type ScoreCall, type ScoreReply, type ScoringPort } from '@mooring/scoring-stream';
import type { Limits } from './limits.ts';

export interface Admission extends ScoringPort {
  /** Calls that run or wait. */
  inFlight(): number;
}

interface Waiting {
  yields: boolean;
  /** Lets the call run, or refuses it. */
  settle: (refusal: PlatformError | undefined) => void;
}

/** Weight of the newest run in the moving average that Retry-After is made of. */
const newestWeight = 0.2;
const retryAfterMinMs = 100;
const retryAfterMaxMs = 30_000;

/**
 * Bounds the scoring calls of one instance: so many run, as many wait, a further one is refused before the model sees it.
 * A live call takes the place of a waiting mirrored copy. A call that takes longer than the deployment allows is answered
 * with `scoring_timeout` and aborted; one whose caller's deadline passes with `deadline_exceeded`.
 */
export function limitCalls(port: ScoringPort, limits: Limits, nowMs: () => number): Admission {
  return new LimitedPort(port, limits, nowMs);
}

class LimitedPort implements Admission {
  readonly #port: ScoringPort;
  readonly #limits: Limits;
  readonly #nowMs: () => number;
  #waiting: Waiting[] = [];
  #running = 0;
  #averageMs = 0;

  constructor(port: ScoringPort, limits: Limits, nowMs: () => number) {
    this.#port = port;
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  inFlight(): number {
    return this.#running + this.#waiting.length;
  }

  async score(call: ScoreCall, signal: AbortSignal): Promise<ScoreReply> {
    // What only describes the model costs next to nothing and must answer while it is busy.
    if (call.operation !== Operation.OPERATION_SCORE && call.operation !== Operation.OPERATION_INFER) {
      return this.#port.score(call, signal);
    }
    const arrivedMs = this.#nowMs();
    const clock = startClock(call, this.#limits.requestTimeoutMs, signal);
    try {
      const refusal = await this.#enter(call, clock.signal);
      if (refusal !== undefined) return failedReply(refusal, false);
      return await this.#run(call, clock, arrivedMs);
    } finally {
      clock.stop();
    }
  }

  /** Resolves when the call may run (undefined), or with why it may not. */
  #enter(call: ScoreCall, signal: AbortSignal): Promise<PlatformError | undefined> | PlatformError | undefined {
    if (signal.aborted) return signal.reason as PlatformError;
    if (this.#running < this.#limits.running) {
      this.#running += 1;
      return undefined;
    }
    const yields = call.priority === Priority.PRIORITY_MIRROR;
    if (this.inFlight() >= this.#limits.inFlight && !this.#displaceMirror(yields)) return this.#full();
    return new Promise((resolve) => {
      const entry: Waiting = {
        yields,
        settle: (refusal) => {
          signal.removeEventListener('abort', giveUp);
          this.#waiting = this.#waiting.filter((other) => other !== entry);
          resolve(refusal);
        },
      };
      const giveUp = (): void => entry.settle(signal.reason as PlatformError);
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiting.push(entry);
    });
  }

  #displaceMirror(yields: boolean): boolean {
    const mirror = yields ? undefined : this.#waiting.findLast((entry) => entry.yields);
    mirror?.settle(this.#full());
    return mirror !== undefined;
  }

  #full(): PlatformError {
    const turns = Math.ceil((this.#waiting.length + 1) / this.#limits.running);
    const retryAfterMs = Math.min(retryAfterMaxMs, Math.max(retryAfterMinMs, Math.round(turns * this.#averageMs)));
    const message = `this instance runs ${this.#running} requests and ${this.#waiting.length} wait (max_concurrent_requests_per_instance)`;
    return new PlatformError('resource_exhausted', 'QUEUE_FULL', message, { retryAfterMs });
  }

  async #run(call: ScoreCall, clock: CallClock, arrivedMs: number): Promise<ScoreReply> {
    const startMs = this.#nowMs();
    const leftMs = Math.max(1, Math.floor(clock.dueMs - (startMs - arrivedMs)));
    const answer = this.#port.score({ ...call, deadlineMs: leftMs }, clock.signal);
    // The place is given back when the model has really ended, not when the caller was told that it takes too long.
    void answer.finally(() => this.#leave(this.#nowMs() - startMs)).catch(() => {});
    const late = whenAborted(clock.signal);
    try {
      const first = await Promise.race([answer, late.promise]);
      const tookMs = this.#nowMs() - arrivedMs;
      // A run that blocks the event loop ends before the timer that should have cut it.
      if (first instanceof PlatformError) return failedReply(first, true);
      if (tookMs >= clock.dueMs) return failedReply(clock.overdue(), first.started);
      return withWait(first, startMs - arrivedMs);
    } finally {
      late.stop();
    }
  }

  #leave(tookMs: number): void {
    this.#averageMs = this.#averageMs === 0 ? tookMs : this.#averageMs + newestWeight * (tookMs - this.#averageMs);
    this.#running -= 1;
    const next = this.#waiting.find((entry) => !entry.yields) ?? this.#waiting[0];
    if (next === undefined) return;
    this.#running += 1;
    next.settle(undefined);
  }
}

interface CallClock {
  /** Aborts with a PlatformError: the caller is gone, or the time is up. */
  signal: AbortSignal;
  /** From the call's arrival. */
  dueMs: number;
  overdue: () => PlatformError;
  stop: () => void;
}

function startClock(call: ScoreCall, requestTimeoutMs: number, caller: AbortSignal): CallClock {
  const deadlineFirst = call.deadlineMs > 0 && call.deadlineMs < requestTimeoutMs;
  const dueMs = deadlineFirst ? call.deadlineMs : requestTimeoutMs;
  const overdue = (): PlatformError =>
    deadlineFirst
      ? new PlatformError('deadline_exceeded', 'SCORING_DEADLINE', `the caller's deadline of ${dueMs} ms passed`)
      : new PlatformError(
          'scoring_timeout',
          'SCORING_TIMEOUT',
          `the request took longer than request_timeout_ms (${dueMs} ms)`,
        );
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(overdue()), dueMs);
  const gone = (): void => abort.abort(new PlatformError('cancelled', 'CALLER_GONE', 'the caller went away'));
  if (caller.aborted) gone();
  caller.addEventListener('abort', gone, { once: true });
  const stop = (): void => {
    clearTimeout(timer);
    caller.removeEventListener('abort', gone);
  };
  return { signal: abort.signal, dueMs, overdue, stop };
}

/** A promise for the signal's reason that leaves nothing behind when it is not needed any more. */
function whenAborted(signal: AbortSignal): { promise: Promise<PlatformError>; stop: () => void } {
  const { promise, resolve } = Promise.withResolvers<PlatformError>();
  const tell = (): void => resolve(signal.reason as PlatformError);
  if (signal.aborted) tell();
  signal.addEventListener('abort', tell, { once: true });
  return { promise, stop: () => signal.removeEventListener('abort', tell) };
}

/** Waiting for a place counts as waiting in the queue. */
function withWait(answer: ScoreReply, waitedMs: number): ScoreReply {
  const waitedUs = Math.round(waitedMs * 1000);
  const { timing } = answer;
  if (waitedUs === 0 || timing === undefined) return answer;
  return {
    ...answer,
    timing: { ...timing, totalUs: timing.totalUs + waitedUs, queueUs: timing.queueUs + waitedUs },
  };
}
