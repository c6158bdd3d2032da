import { PlatformError } from '@mooring/errors';
import { failedReply, type ScoreCall, type ScoreReply } from '@mooring/scoring-stream';
import { expiredError } from '../domain/call-deadline.ts';

/**
 * One run that several callers wait for, each for as long as it likes. Who leaves takes nothing from the others; the run is
 * cancelled when the last one has left.
 */
export class SharedRun {
  readonly #run: Promise<ScoreReply>;
  readonly #abort = new AbortController();
  readonly #onAbandoned: () => void;
  #waiting = 0;
  #settled = false;

  /** `onAbandoned` is called before the run is cancelled: nobody may join it any more. */
  constructor(start: (signal: AbortSignal) => Promise<ScoreReply>, onAbandoned: () => void) {
    this.#onAbandoned = onAbandoned;
    this.#run = start(this.#abort.signal);
    const settled = (): void => {
      this.#settled = true;
    };
    this.#run.then(settled, settled);
  }

  /** The run's answer as an object of the caller's own, or what its leaving means, whichever is first. Rejects as the run does. */
  async wait(call: ScoreCall, signal: AbortSignal): Promise<ScoreReply> {
    const left = Promise.withResolvers<ScoreReply>();
    const onGone = (): void => left.resolve(gone());
    const expire = (): void => left.resolve(failedReply(expiredError('caller', call.deadlineMs), true));
    const timer = call.deadlineMs > 0 ? setTimeout(expire, call.deadlineMs) : undefined;
    // One that has left already leaves all the same: it may be the one for whom the run was begun.
    if (signal.aborted) onGone();
    signal.addEventListener('abort', onGone, { once: true });
    this.#waiting += 1;
    try {
      return { ...(await Promise.race([this.#run, left.promise])) };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onGone);
      this.#leave();
    }
  }

  #leave(): void {
    this.#waiting -= 1;
    if (this.#waiting > 0 || this.#settled) return;
    this.#onAbandoned();
    this.#abort.abort(new PlatformError('cancelled', 'CALLER_GONE', 'everybody who waited for it is gone'));
  }
}

function gone(): ScoreReply {
  return failedReply(new PlatformError('cancelled', 'CALLER_GONE', 'the caller is gone'), true);
}
