import { Operation, type Abandoned } from '@mooring/contracts/scoring';
import { PlatformError } from '@mooring/errors';
import { Lanes, Progress, retryAfterOf, type Queued } from '@mooring/overload';
import {
  failedReply,
  rankOf,
  spentUs,
  type ScoreCall,
  type ScoreReply,
  type ScoringPort,
} from '@mooring/scoring-stream';
import { dueMsOf, startClock, whenAborted, type CallClock } from './call-clock.ts';
import { queueBytesDefault, type Limits } from './limits.ts';

export interface Admission extends ScoringPort {
  /** Calls that run or wait. */
  inFlight(): number;
}

interface Waiting extends Queued {
  clock: CallClock;
  dueAtMs: number;
  /** Lets the call run, or refuses it. */
  settle: (refusal: PlatformError | undefined) => void;
}

/**
 * Bounds the scoring calls of one instance: the model has as many as it can make use of, the others wait here as bytes that
 * nobody has read yet; one too many is refused before the model sees it, and so is one that cannot be answered in its time
 * behind those that wait, when it comes or, if the model got slower, before it is begun. First in, first out; batch calls wait for live
 * ones, mirrored copies for both, and each gives its place to what goes before it. A call that takes longer than the
 * deployment allows is answered with `scoring_timeout` and aborted; one whose caller's deadline passes with
 * `deadline_exceeded`. `onAbandoned` is told what calls came to whose caller left or whose time passed.
 */
export function limitCalls(
  port: ScoringPort,
  limits: Limits,
  nowMs: () => number,
  onAbandoned: (sum: Abandoned) => void = () => undefined,
): Admission {
  return new LimitedPort(port, limits, nowMs, onAbandoned);
}

/** With less than this share of what a call takes, it would end too late, and cost the model as much as one in time. */
const startableShare = 0.5;

const outOfTime: ReadonlySet<string> = new Set(['scoring_timeout', 'deadline_exceeded']);

class LimitedPort implements Admission {
  readonly #port: ScoringPort;
  readonly #limits: Limits;
  readonly #nowMs: () => number;
  readonly #onAbandoned: (sum: Abandoned) => void;
  readonly #waiting: Lanes<Waiting>;
  readonly #progress: Progress;
  #running = 0;

  constructor(port: ScoringPort, limits: Limits, nowMs: () => number, onAbandoned: (sum: Abandoned) => void) {
    this.#port = port;
    this.#limits = limits;
    this.#nowMs = nowMs;
    this.#onAbandoned = onAbandoned;
    this.#waiting = new Lanes({
      calls: limits.inFlight,
      bytes: limits.queueBytes ?? queueBytesDefault,
    });
    this.#progress = new Progress(limits.running);
  }

  inFlight(): number {
    return this.#running + this.#waiting.size;
  }

  async score(call: ScoreCall, signal: AbortSignal): Promise<ScoreReply> {
    // What only describes the model costs next to nothing and must answer while it is busy.
    if (call.operation !== Operation.OPERATION_SCORE && call.operation !== Operation.OPERATION_INFER) {
      return this.#port.score(call, signal);
    }
    const arrivedMs = this.#nowMs();
    const refusal = signal.aborted ? undefined : this.#refusal(call);
    if (refusal !== undefined) return failedReply(refusal, false);
    const clock = startClock(call, this.#limits.requestTimeoutMs, signal, () => this.#retryAfterMs());
    try {
      const gone = await this.#enter(call, clock, arrivedMs);
      if (gone !== undefined) return failedReply(gone, false);
      return await this.#run(call, clock, arrivedMs);
    } finally {
      clock.stop();
    }
  }

  /** Calls that the model may have now: what the deployment allows, and the model can make use of. */
  #useful(): number {
    const { running, capacity } = this.#limits;
    const { parallel, useful } = capacity?.() ?? { parallel: running, useful: running };
    this.#progress.setParallel(Math.min(running, parallel));
    return Math.min(running, useful);
  }

  /** Why there is no room or no time for a call that would have to wait. */
  #refusal({ priority, body, deadlineMs }: ScoreCall): PlatformError | undefined {
    if (this.#running < this.#useful()) return undefined;
    const rank = rankOf(priority);
    return this.#makeRoom(rank, body.length) ?? this.#tooLate(rank, dueMsOf(deadlineMs, this.#limits.requestTimeoutMs));
  }

  /** Resolves when the call may run (undefined), or with why it may not. */
  #enter(
    call: ScoreCall,
    clock: CallClock,
    arrivedMs: number,
  ): Promise<PlatformError | undefined> | PlatformError | undefined {
    if (clock.signal.aborted) {
      this.#onAbandoned({ queued: 1, running: 0, wastedUs: 0 });
      return clock.signal.reason as PlatformError;
    }
    if (this.#running < this.#useful()) {
      this.#running += 1;
      this.#progress.entered(arrivedMs);
      return undefined;
    }
    const { priority, body } = call;
    const place = { rank: rankOf(priority), bytes: body.length, clock, dueAtMs: arrivedMs + clock.dueMs };
    return this.#wait(place, arrivedMs);
  }

  #wait(place: Omit<Waiting, 'settle'>, arrivedMs: number): Promise<PlatformError | undefined> {
    return new Promise((resolve) => {
      const { signal } = place.clock;
      const entry: Waiting = {
        ...place,
        settle: (refusal) => {
          signal.removeEventListener('abort', giveUp);
          if (refusal !== undefined) this.#progress.left(this.#nowMs(), false);
          resolve(refusal);
        },
      };
      const giveUp = (): void => {
        this.#waiting.remove(entry);
        this.#dropped(entry, signal.reason as PlatformError);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#progress.entered(arrivedMs);
      this.#waiting.push(entry);
    });
  }

  /** Takes places from what yields to `rank`; the refusal when that is not enough. */
  #makeRoom(rank: number, bytes: number): PlatformError | undefined {
    for (;;) {
      const full = this.inFlight() >= this.#limits.inFlight ? 'calls' : this.#waiting.full(bytes);
      if (full === undefined) return undefined;
      const refusal = full === 'calls' ? this.#full() : this.#bytesFull();
      const displaced = this.#waiting.displace(rank);
      if (displaced === undefined) return refusal;
      displaced.settle(refusal);
    }
  }

  /** Waiting would end in a deadline: the caller learns it now, and the model is spared. */
  #tooLate(rank: number, leftMs: number): PlatformError | undefined {
    const ahead = this.#running + this.#waiting.ahead(rank);
    if (!this.#progress.hopeless(leftMs, ahead)) return undefined;
    const needsMs = Math.ceil(this.#progress.answeredInMs(ahead));
    return PlatformError.refusal(
      'unavailable',
      'DEADLINE_UNREACHABLE',
      `${ahead} requests are before this one, which would take about ${needsMs} ms; it has ${Math.floor(leftMs)} ms`,
      { retryAfterMs: retryAfterOf(needsMs - leftMs) },
    );
  }

  #full(): PlatformError {
    const message = `this instance runs ${this.#running} requests and ${this.#waiting.size} wait (max_concurrent_requests_per_instance)`;
    return PlatformError.refusal('resource_exhausted', 'QUEUE_FULL', message, { retryAfterMs: this.#retryAfterMs() });
  }

  #bytesFull(): PlatformError {
    const message = `the requests that wait for this instance hold ${this.#waiting.bytes} bytes; there is no room for more`;
    return PlatformError.refusal('unavailable', 'QUEUE_BYTES_FULL', message, { retryAfterMs: this.#retryAfterMs() });
  }

  /** When one that comes last would be answered. */
  #retryAfterMs(): number {
    return retryAfterOf(this.#progress.answeredInMs());
  }

  async #run(call: ScoreCall, clock: CallClock, arrivedMs: number): Promise<ScoreReply> {
    const startMs = this.#nowMs();
    const leftMs = Math.max(1, Math.floor(clock.dueMs - (startMs - arrivedMs)));
    const answer = this.#port.score({ ...call, deadlineMs: leftMs }, clock.signal);
    // The place is given back when the model has really ended, not when the caller was told that it takes too long.
    const leave = (given?: ScoreReply): void => {
      const endMs = this.#nowMs();
      this.#leave(given, endMs - startMs, clock.signal.aborted || endMs - arrivedMs >= clock.dueMs);
    };
    void answer.then(leave, () => leave());
    const late = whenAborted(clock.signal);
    try {
      const first = await Promise.race([answer, late.promise]);
      const tookMs = this.#nowMs() - arrivedMs;
      // A run that blocks the event loop ends before the timer that should have cut it.
      if (first instanceof PlatformError) return failedReply(first, true);
      // The model knows that its time was up, but not whose patience ended.
      if (tookMs >= clock.dueMs || outOfTime.has(first.errorCode)) return failedReply(clock.overdue(), first.started);
      return withWait(first, startMs - arrivedMs);
    } finally {
      late.stop();
    }
  }

  #leave(answer: ScoreReply | undefined, tookMs: number, abandoned: boolean): void {
    const ran = answer?.started ?? true;
    if (abandoned) {
      const wastedUs = (answer === undefined ? 0 : spentUs(answer)) || tookMs * 1_000;
      this.#onAbandoned(ran ? { queued: 0, running: 1, wastedUs } : { queued: 1, running: 0, wastedUs: 0 });
    } else if (ran) {
      const { totalUs = 0, queueUs = 0 } = answer?.timing ?? {};
      this.#progress.noteServiceTime(totalUs > 0 ? (totalUs - queueUs) / 1_000 : tookMs);
    }
    this.#progress.left(this.#nowMs(), ran);
    this.#running -= 1;
    this.#startNext();
  }

  #startNext(): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (this.#nowMs() + startableShare * this.#progress.serviceMs >= next.dueAtMs) {
        this.#dropped(next, next.clock.overdue());
        continue;
      }
      this.#running += 1;
      next.settle(undefined);
      return;
    }
  }

  /** It left the queue because nobody waits for it. */
  #dropped(entry: Waiting, why: PlatformError): void {
    this.#onAbandoned({ queued: 1, running: 0, wastedUs: 0 });
    entry.settle(why);
  }
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
