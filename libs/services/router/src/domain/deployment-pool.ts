import type { InstanceRecord } from '@mooring/domain';
import type { InstanceStream } from '../ports.ts';
import { healthy, isEjected, type Health } from './ejection.ts';

/** One instance that may take calls. */
export interface InstanceSlot {
  readonly id: string;
  readonly address: string;
  readonly stream: InstanceStream;
  readonly health: Health;
  /** Calls that are open now, mirrored ones included. */
  inFlight: number;
  /** No new calls; its stream closes with its last open call. */
  retired: boolean;
}

/** Weight of the newest call in the mean service time. */
const newestShare = 0.1;
const retryAfterMinMs = 50;
const retryAfterMaxMs = 30_000;

/** The instances of one deployment, as this router sees them. */
export class DeploymentPool {
  /** Instances whose record says `ready`. */
  readonly slots: InstanceSlot[] = [];
  /** Every instance record, for messages: state by instance id. */
  readonly states = new Map<string, InstanceRecord['state']>();
  /** Live calls that are open now. */
  liveInFlight = 0;
  /** Recent mean time of one call in an instance without queueing, ms. */
  meanServiceMs = 0;
  private rotation = 0;

  /** Takes an instance in; an instance of the same id with another address replaces it. */
  add(id: string, address: string, open: () => InstanceStream): void {
    const present = this.slots.find((slot) => slot.id === id);
    if (present?.address === address) return;
    if (present) this.retire(id);
    this.slots.push({ id, address, stream: open(), health: healthy(), inFlight: 0, retired: false });
  }

  /** Gives an instance no more calls. */
  retire(id: string): void {
    const index = this.slots.findIndex((slot) => slot.id === id);
    const [slot] = index < 0 ? [] : this.slots.splice(index, 1);
    if (!slot) return;
    slot.retired = true;
    if (slot.inFlight === 0) slot.stream.close();
  }

  /**
   * The least-loaded instance that is connected, in rotation and not in `tried`; equals take turns. When only ejected ones
   * are left, the one that comes back first: an instance that may fail is better than a certain refusal.
   */
  pick(nowMs: number, tried: ReadonlySet<InstanceSlot>): InstanceSlot | undefined {
    const count = this.slots.length;
    let best: InstanceSlot | undefined;
    let ejected: InstanceSlot | undefined;
    this.rotation = (this.rotation + 1) % Math.max(1, count);
    for (let step = 0; step < count; step += 1) {
      const slot = this.slots[(this.rotation + step) % count];
      if (slot === undefined || tried.has(slot) || !slot.stream.ready()) continue;
      if (isEjected(slot.health, nowMs)) {
        if (ejected === undefined || slot.health.ejectedUntilMs < ejected.health.ejectedUntilMs) ejected = slot;
      } else if (best === undefined || slot.inFlight < best.inFlight) best = slot;
    }
    return best ?? ejected;
  }

  /** Instances other than `slot` that could take its calls. */
  othersInRotation(slot: InstanceSlot, nowMs: number): number {
    return this.slots.filter((other) => other !== slot && other.stream.ready() && !isEjected(other.health, nowMs))
      .length;
  }

  /** Notes the end of a call; the last one of a retired instance closes its stream. */
  release(slot: InstanceSlot): void {
    slot.inFlight -= 1;
    if (slot.retired && slot.inFlight === 0) slot.stream.close();
  }

  noteServiceTime(ms: number): void {
    this.meanServiceMs = this.meanServiceMs === 0 ? ms : this.meanServiceMs + newestShare * (ms - this.meanServiceMs);
  }

  /** Live calls that may be open: twice what the instances run at once, the second half queues (azureml-contract 4.5). */
  liveLimit(maxConcurrentRequestsPerInstance: number): number {
    return 2 * maxConcurrentRequestsPerInstance * this.slots.length;
  }

  /** How long what is open now takes to be done, ms: when a refused caller has a chance again. */
  retryAfterMs(maxConcurrentRequestsPerInstance: number): number {
    const atOnce = Math.max(1, maxConcurrentRequestsPerInstance * this.slots.length);
    const estimate = Math.ceil((this.meanServiceMs * this.liveInFlight) / atOnce);
    return Math.min(Math.max(estimate, retryAfterMinMs), retryAfterMaxMs);
  }

  /** `1 starting, 2 failed`, or `none`. */
  describe(): string {
    const counts = new Map<string, number>();
    for (const state of this.states.values()) counts.set(state, (counts.get(state) ?? 0) + 1);
    return [...counts].map(([state, count]) => `${count} ${state}`).join(', ') || 'none';
  }
}
