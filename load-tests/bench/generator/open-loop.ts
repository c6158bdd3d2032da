import { goodStatus, type LoadResult, type OpenJob, type Phase } from './jobs.ts';
import { noAnswer, type Lane, type OnOutcome, type Outcome } from './lane.ts';
import { Tally } from './tally.ts';
import { startTicker } from './ticker.ts';

const sweepMs = 100;

/** A phase with its place in time, in milliseconds from the start, and its first request. */
interface Placed extends Phase {
  from: number;
  until: number;
  first: number;
  count: number;
  tally: Tally;
}

function place(phases: readonly Phase[]): Placed[] {
  let from = 0;
  let first = 0;
  return phases.map((phase) => {
    const count = Math.round((phase.perSecond * phase.durationMs) / 1_000);
    const placed = { ...phase, from, until: from + phase.durationMs, first, count, tally: new Tally() };
    from = placed.until;
    first += count;
    return placed;
  });
}

/**
 * Runs an open loop to its end: request number i is due at i / rate whatever happened to the ones before, and its latency
 * counts from then, so that a server that stalls cannot hide it.
 */
export function runOpen(job: OpenJob, lane: (onOutcome: OnOutcome) => Lane): Promise<LoadResult[]> {
  return new OpenLoop(job, lane).run();
}

class OpenLoop {
  readonly #job: OpenJob;
  readonly #makeLane: (onOutcome: OnOutcome) => Lane;
  readonly #phases: Placed[];
  readonly #all: Lane[] = [];
  readonly #free: Lane[] = [];
  // The ticker needs a moment to start.
  readonly #startedAt = performance.now() + 100;
  /** When those were due that wait for a lane, from `firstWaiting` on. */
  readonly #waiting: number[] = [];
  #firstWaiting = 0;
  #phase = 0;
  #next = 0;
  #open = 0;

  constructor(job: OpenJob, makeLane: (onOutcome: OnOutcome) => Lane) {
    this.#job = job;
    this.#makeLane = makeLane;
    this.#phases = place(job.phases);
  }

  run(): Promise<LoadResult[]> {
    return new Promise((resolve) => {
      const ticker = startTicker(() => this.#sendDue(), this.#job.tickMs);
      const sweep = setInterval(() => {
        this.#giveUpOnLate();
        if (this.#nextDue() !== undefined || this.#open > 0 || this.#waiting[this.#firstWaiting] !== undefined) return;
        clearInterval(sweep);
        for (const lane of this.#all) lane.close();
        void ticker.stop();
        resolve(this.#phases.map(({ tally, durationMs }) => tally.result(durationMs, 0)));
      }, sweepMs);
    });
  }

  #sendDue(): void {
    const now = performance.now();
    for (let dueAt = this.#nextDue(); dueAt !== undefined && dueAt <= now; dueAt = this.#nextDue()) this.#send(dueAt);
  }

  /** When the next request is due; undefined when all were. */
  #nextDue(): number | undefined {
    for (; this.#phase < this.#phases.length; this.#phase += 1) {
      const { from, first, count, perSecond } = this.#phases[this.#phase] as Placed;
      if (this.#next < first + count) return this.#startedAt + from + ((this.#next - first) * 1_000) / perSecond;
    }
    return undefined;
  }

  #send(dueAt: number): void {
    const { tally, from } = this.#phases[this.#phase] as Placed;
    this.#next += 1;
    tally.slice(dueAt - this.#startedAt - from).due += 1;
    const lane = this.#takeLane();
    if (lane !== undefined) {
      tally.lag.add(performance.now() - dueAt);
      this.#sendBy(lane, dueAt);
    } else if (this.#waiting.length - this.#firstWaiting < this.#job.waitingMax) this.#waiting.push(dueAt);
    else tally.dropped += 1;
  }

  #sendBy(lane: Lane, dueAt: number): void {
    lane.dueAt = dueAt;
    this.#phaseAt(dueAt).tally.sent += 1;
    this.#open += 1;
    lane.send();
  }

  /** The first of those that wait; the array is cut now and then, since taking its first each time would cost its length. */
  #nextWaiting(): number | undefined {
    const dueAt = this.#waiting[this.#firstWaiting];
    if (dueAt === undefined) return undefined;
    this.#firstWaiting += 1;
    if (this.#firstWaiting > 1_000 && this.#firstWaiting * 2 > this.#waiting.length) {
      this.#waiting.splice(0, this.#firstWaiting);
      this.#firstWaiting = 0;
    }
    return dueAt;
  }

  #takeLane(): Lane | undefined {
    const taken = this.#free.pop();
    if (taken !== undefined || this.#all.length >= this.#job.openMax) return taken;
    const made = this.#makeLane((lane, outcome) => this.#ended(lane, outcome));
    this.#all.push(made);
    return made;
  }

  #ended(lane: Lane, outcome: Outcome): void {
    const now = performance.now();
    this.#open -= 1;
    this.#count(outcome, lane.dueAt, now);
    const next = this.#nextWaiting();
    if (next === undefined) this.#free.push(lane);
    else this.#sendBy(lane, next);
  }

  #count(outcome: Outcome, dueAt: number, now: number): void {
    const { tally, from } = this.#phaseAt(dueAt);
    tally.outcome(outcome, now - dueAt, true);
    if (outcome.status !== goodStatus) return;
    const slice = tally.slice(dueAt - this.#startedAt - from);
    slice.good += 1;
    slice.maxMs = Math.max(slice.maxMs, now - dueAt);
    const present = this.#phaseAt(now);
    if (now - this.#startedAt < present.until) present.tally.good += 1;
  }

  /** The phase of a moment; after the last, the last. */
  #phaseAt(at: number): Placed {
    const since = at - this.#startedAt;
    return this.#phases.find(({ until }) => since < until - 1e-6) ?? (this.#phases.at(-1) as Placed);
  }

  #giveUpOnLate(): void {
    const now = performance.now();
    for (const lane of this.#all) {
      if (lane.busy && now - lane.dueAt > this.#job.timeoutMs) lane.abandon('no answer in time');
    }
    for (let due = this.#waiting[this.#firstWaiting]; due !== undefined; due = this.#waiting[this.#firstWaiting]) {
      if (now - due <= this.#job.timeoutMs) break;
      this.#nextWaiting();
      this.#count(noAnswer('not even sent in time'), due, now);
    }
  }
}
