import { PlatformError } from '@mooring/errors';
import { failedReply, type ScoreReply } from '@mooring/scoring-stream';
import type { Clock } from '../ports.ts';

/** Whose patience ends first: the deployment's `request_timeout_ms` (408) or the caller's own deadline (504). */
type Owner = 'deployment' | 'caller';

/** The error of a call that took as long as its owner allows. */
export function expiredError(owner: Owner, limitMs: number): PlatformError {
  if (owner === 'caller') {
    return PlatformError.refusal(
      'deadline_exceeded',
      'DEADLINE_EXCEEDED',
      `the caller's deadline of ${limitMs} ms passed`,
    );
  }
  return PlatformError.refusal(
    'scoring_timeout',
    'SCORING_TIMEOUT',
    `no answer within the deployment's request_timeout_ms (${limitMs})`,
  );
}

/** The end of one call: its time is up, or its caller is gone. Must be ended by `done`. */
export class CallDeadline {
  readonly owner: Owner;
  private readonly limitMs: number;
  private readonly endsAtMs: number;
  private readonly now: Clock;
  private readonly controller = new AbortController();
  private readonly over = Promise.withResolvers<ScoreReply>();
  private readonly timer: NodeJS.Timeout;
  private readonly caller: AbortSignal;
  private readonly onGone: () => void;

  /** `callerMs` 0 = the caller set none. */
  constructor(deploymentMs: number, callerMs: number, caller: AbortSignal, now: Clock) {
    this.now = now;
    this.owner = callerMs > 0 && callerMs < deploymentMs ? 'caller' : 'deployment';
    this.limitMs = this.owner === 'caller' ? callerMs : deploymentMs;
    this.endsAtMs = now() + this.limitMs;
    this.timer = setTimeout(() => this.finish(this.expired()), this.limitMs);
    this.caller = caller;
    this.onGone = () => this.finish(new PlatformError('cancelled', 'CALLER_GONE', 'the caller is gone'));
    if (caller.aborted) this.onGone();
    else caller.addEventListener('abort', this.onGone, { once: true });
  }

  /** Aborts when the call is over. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Whole milliseconds that are left, at least 1: 0 would mean "no deadline" on the wire. */
  remainingMs(): number {
    return Math.max(1, Math.ceil(this.endsAtMs - this.now()));
  }

  /** True when nothing may be started for it any more, also where the timer could not fire yet. */
  passed(): boolean {
    return this.controller.signal.aborted || this.now() >= this.endsAtMs;
  }

  /** What `work` answers, or the failure that the end of the call means, whichever is first. */
  race(work: Promise<ScoreReply>): Promise<ScoreReply> {
    return Promise.race([work, this.over.promise]);
  }

  /** The error of a call whose time is up. */
  expired(): PlatformError {
    return expiredError(this.owner, this.limitMs);
  }

  done(): void {
    clearTimeout(this.timer);
    this.caller.removeEventListener('abort', this.onGone);
  }

  private finish(error: PlatformError): void {
    this.over.resolve(failedReply(error, true));
    this.controller.abort(error);
    this.done();
  }
}
