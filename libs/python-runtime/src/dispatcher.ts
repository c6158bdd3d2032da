import type { CallDesk } from './call-desk.ts';
import type { WorkerSlot } from './worker-slot.ts';

/** So much work may wait in a worker behind the call that runs, in microseconds of the longest of its latest calls. */
const aheadUs = 1_000;
const callsMost = 8;
/** What is larger waits here, where another worker can have it without it being sent twice. */
const aheadBytesMax = 16 * 1024;
/** A long call is forgotten by and by: after 22 short ones a tenth of it is left. */
const peakFades = 0.9;
/**
 * Waking an idle worker takes about as long: so much work waits for a busy one although another is idle. Only while no call was
 * long for some time (of one of 2 s something is left for 2,000 calls): what then turns out to be long holds up an odd few.
 */
const wakeUs = 60;
const longFades = 0.995;
/** A call that runs longer than this is no short one after all: those behind it are taken back. */
const lateMs = 5;

/**
 * Gives waiting calls to workers. One that is idle goes first, and of several always the same, whose caches are warm. When
 * calls take microseconds, most of their cost is waking a worker for each: then a busy one gets some more, which it begins
 * without being woken. They are taken back when the one that runs turns out to be long.
 */
export class Dispatcher {
  readonly #slots: readonly WorkerSlot[];
  readonly #desk: CallDesk;
  readonly #ahead: boolean;
  #peakUs = Infinity;
  #longUs = Infinity;
  #recall: NodeJS.Timeout | undefined;

  /** `ahead` false: a worker never has more than the call that it runs. */
  constructor(slots: readonly WorkerSlot[], desk: CallDesk, ahead: boolean) {
    this.#slots = slots;
    this.#desk = desk;
    this.#ahead = ahead;
  }

  /** Notes what a worker took for one call, by its own clock. */
  noteRun(us: number): void {
    this.#peakUs = Math.max(us, 1, this.#peakUs === Infinity ? 0 : this.#peakUs * peakFades);
    this.#longUs = Math.max(us, 1, this.#longUs === Infinity ? 0 : this.#longUs * longFades);
  }

  dispatch(): void {
    if (this.#desk.waiting === 0) return;
    const nowMs = performance.now();
    for (let slot = this.#next(nowMs); slot !== undefined; slot = this.#next(nowMs)) {
      const open = this.#desk.next(nowMs);
      if (open === undefined) return;
      if (slot.calls.length > 0 && (open.bytes > aheadBytesMax || open.rank > 0)) {
        this.#desk.putBack(open);
        return;
      }
      slot.give(open, nowMs, this.#most() === 1);
      if (slot.calls.length > 1) this.#recall ??= setTimeout(() => this.#recallLate(), lateMs);
    }
  }

  stop(): void {
    clearTimeout(this.#recall);
  }

  /** The worker that would begin a call soonest. */
  #next(nowMs: number): WorkerSlot | undefined {
    const idle = this.#slots.find(({ state }) => state === 'idle');
    if (!this.#ahead) return idle;
    if (idle === undefined) return this.#leastBusy(this.#most(), nowMs);
    const behind = Math.floor(wakeUs / this.#longUs);
    return (behind > 0 ? this.#leastBusy(1 + behind, nowMs) : undefined) ?? idle;
  }

  /** Calls that a worker may have, as long as they have been of late. */
  #most(): number {
    return this.#ahead ? 1 + Math.floor(aheadUs / this.#peakUs) : 1;
  }

  /** One that has fewer calls than `most`, all of them short. */
  #leastBusy(most: number, nowMs: number): WorkerSlot | undefined {
    let fewest = Math.min(callsMost, most);
    let found: WorkerSlot | undefined;
    for (const slot of this.#slots) {
      const { calls, state } = slot;
      if (state !== 'busy' || calls.length >= fewest || isLate(slot, nowMs)) continue;
      found = slot;
      fewest = calls.length;
    }
    return found;
  }

  #recallLate(): void {
    this.#recall = undefined;
    const nowMs = performance.now();
    let again = false;
    for (const slot of this.#slots) {
      if (slot.calls.length < 2) continue;
      if (isLate(slot, nowMs)) slot.recall();
      else again = true;
    }
    if (again) this.#recall = setTimeout(() => this.#recallLate(), lateMs);
  }
}

function isLate({ calls }: WorkerSlot, nowMs: number): boolean {
  return nowMs - (calls[0]?.startedMs ?? nowMs) > lateMs;
}
