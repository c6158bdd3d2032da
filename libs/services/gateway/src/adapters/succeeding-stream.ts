import type { ScoreCall, ScoreReply, ScoringPort, ScoringStream } from '@mooring/scoring-stream';

/** A router that is on its way: one that takes over from another, or that is started again after a crash. */
const routerWaitMs = 3_000;
/** How often one call is given to a further stream. */
const retriesMax = 3;

/**
 * The router's scoring stream, and the next one: when the router says that it will end, a stream to its successor is opened
 * beside, and the first one is left open until its calls are answered. A call that no router has started waits a little for
 * the next.
 */
export class SucceedingStream implements ScoringPort {
  readonly #open: () => ScoringStream;
  readonly #leaving = new Set<ScoringStream>();
  #stream: ScoringStream;
  #closing = false;

  constructor(open: () => ScoringStream) {
    this.#open = open;
    this.#stream = this.#watched();
  }

  ready(): boolean {
    return this.#stream.ready();
  }

  async score(call: ScoreCall, signal: AbortSignal): Promise<ScoreReply> {
    const since = performance.now();
    for (let retries = 0; ; retries += 1) {
      if (!this.#stream.ready()) await this.#someRouter(leftOf(call, since), signal);
      const stream = this.#stream;
      const reply = await stream.score(aged(call, since), signal);
      // Only its caller may say that it may run again, by a key; the routers know by it what became of the first run.
      const lost = reply.started && reply.errorReason === 'INSTANCE_LOST' && call.idempotencyKey !== '';
      // A refusal by a router that goes on is its answer; one by a router that goes is none.
      const gone = stream !== this.#stream || !stream.ready();
      const again = (lost || !reply.started) && reply.errorCode === 'unavailable' && gone;
      const late = !lost && performance.now() - since >= routerWaitMs;
      if (!again || late || retries >= retriesMax || this.#closing || signal.aborted) return reply;
    }
  }

  async close(signal: AbortSignal): Promise<void> {
    this.#closing = true;
    await Promise.all([this.#stream, ...this.#leaving].map((stream) => stream.close(signal)));
  }

  #watched(): ScoringStream {
    const stream = this.#open();
    stream.onStateChange((state) => {
      if (state !== 'draining' || stream !== this.#stream || this.#closing) return;
      this.#leaving.add(stream);
      this.#stream = this.#watched();
      const unlimited = new AbortController().signal;
      void stream.close(unlimited).finally(() => this.#leaving.delete(stream));
    });
    return stream;
  }

  /** Which stream that will be is not known yet: the present one may be on its way out, too. */
  async #someRouter(leftMs: number, signal: AbortSignal): Promise<void> {
    const late = AbortSignal.any([signal, AbortSignal.timeout(Math.min(routerWaitMs, leftMs))]);
    await this.#stream.whenReady(late).catch(() => undefined);
  }
}

/** What is left of the caller's time in whole milliseconds; never 0, which would be for ever. */
function leftOf({ deadlineMs }: ScoreCall, since: number): number {
  return deadlineMs === 0 ? routerWaitMs : Math.max(1, Math.floor(deadlineMs - (performance.now() - since)));
}

/** The call, less the time that it waited here. */
function aged(call: ScoreCall, since: number): ScoreCall {
  const waitedMs = performance.now() - since;
  return waitedMs < 1 || call.deadlineMs === 0 ? call : { ...call, deadlineMs: leftOf(call, since) };
}
