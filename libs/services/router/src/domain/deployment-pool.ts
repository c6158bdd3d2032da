import type { InstanceRecord } from '@mooring/domain';
import { GradientLimit, Progress, RetryBudget, retryAfterOf } from '@mooring/overload';
import type { InlinePort, InstanceStream } from '../ports.ts';
import { healthy, isEjected, type Health } from './ejection.ts';
import type { InstanceFacts } from './instance-facts.ts';
import { SpecEpoch } from './spec-epoch.ts';

/** One instance that may take calls. */
export interface InstanceSlot {
  readonly id: string;
  readonly address: string;
  readonly stream: InstanceStream;
  readonly facts: InstanceFacts;
  readonly health: Health;
  /** How many calls it should have: fewer while it is slow. */
  readonly limit: GradientLimit;
  /** Calls that are open now, mirrored ones included. */
  inFlight: number;
  /** No new calls; its stream closes with its last open call. */
  retired: boolean;
}

/** Instances come and go; forgetting one's newest run counts that run twice at worst. */
const newestBatchesMax = 128;

/** The instances of one deployment, as this router sees them. */
export class DeploymentPool {
  /** Instances whose record says `ready`. */
  readonly slots: InstanceSlot[] = [];
  /** Every instance record, for messages: state by instance id. */
  readonly states = new Map<string, InstanceRecord['state']>();
  /** The model in this process, while an instance of the same spec is ready. */
  inline: InlinePort | undefined;
  /** Live calls that are open now. */
  liveInFlight = 0;
  /** Bytes of requests that are open now. */
  bytesInFlight = 0;
  /** How fast the instances work off what they have. */
  readonly progress = new Progress(1);
  readonly retries = new RetryBudget();
  /** What the instances that take calls are made from. */
  readonly specs = new SpecEpoch();
  private rotation = 0;
  private readonly shareOf: number;
  /** By instance: the model run that its newest answer came from. */
  private readonly newestBatches = new Map<string, string>();

  /** `shareOf`: routers that share the limits of the deployment. */
  constructor(shareOf = 1) {
    this.shareOf = shareOf;
  }

  /** Takes an instance in; an instance of the same id with another address replaces it. */
  add(id: string, address: string, open: () => InstanceStream, facts: InstanceFacts): void {
    const present = this.slots.find((slot) => slot.id === id);
    if (present?.address === address) return;
    if (present) this.retire(id);
    this.slots.push({
      id,
      address,
      stream: open(),
      facts,
      health: healthy(),
      limit: new GradientLimit(),
      inFlight: 0,
      retired: false,
    });
  }

  /** True for the first answer of a model run: those of one run come one after the other from its instance. */
  isNewBatch(instanceId: string, batchId: string): boolean {
    if (batchId === '' || this.newestBatches.get(instanceId) === batchId) return false;
    if (this.newestBatches.size >= newestBatchesMax) this.newestBatches.clear();
    this.newestBatches.set(instanceId, batchId);
    return true;
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
   * The least-loaded instance that is connected, in rotation and not in `tried`; equals take turns. One that got slow has no
   * more than its limit, unless all have; what the deployment says that an instance runs at once (`concurrency`) it always
   * may have, and never more than twice that. When only ejected ones are left, the one that comes back first: an instance
   * that may fail is better than a certain refusal.
   */
  pick(
    nowMs: number,
    tried: ReadonlySet<InstanceSlot>,
    concurrency = Number.POSITIVE_INFINITY,
  ): InstanceSlot | undefined {
    const count = this.slots.length;
    let best: InstanceSlot | undefined;
    let slow: InstanceSlot | undefined;
    let ejected: InstanceSlot | undefined;
    let full = false;
    this.rotation = (this.rotation + 1) % Math.max(1, count);
    for (let step = 0; step < count; step += 1) {
      const slot = this.slots[(this.rotation + step) % count];
      if (slot === undefined || tried.has(slot) || !slot.stream.ready()) continue;
      if (isEjected(slot.health, nowMs)) {
        if (ejected === undefined || slot.health.ejectedUntilMs < ejected.health.ejectedUntilMs) ejected = slot;
      } else if (slot.inFlight < slot.limit.current(2 * concurrency)) {
        if (best === undefined || slot.inFlight < best.inFlight) best = slot;
      } else if (slot.inFlight < concurrency) {
        if (slow === undefined || slot.inFlight < slow.inFlight) slow = slot;
      } else full = true;
    }
    return best ?? slow ?? (full ? undefined : ejected);
  }

  /** True when an instance not in `tried` takes calls, even if it has as many as it can bear. */
  connected(tried: ReadonlySet<InstanceSlot>): boolean {
    return this.slots.some((slot) => !tried.has(slot) && slot.stream.ready());
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
    this.progress.noteServiceTime(ms);
  }

  /** Calls beyond what the instances really work on at once wait, whatever the deployment says that they may have. */
  setConcurrency(maxConcurrentRequestsPerInstance: number): void {
    let sum = 0;
    for (const { stream } of this.slots) {
      const parallel = stream.parallel?.() ?? 0;
      const fewer = parallel > 0 && parallel < maxConcurrentRequestsPerInstance;
      sum += fewer ? parallel : maxConcurrentRequestsPerInstance;
    }
    this.progress.setParallel(sum);
  }

  /** Notes the beginning of a live call. */
  entered(bytes: number, nowMs: number): void {
    this.liveInFlight += 1;
    this.bytesInFlight += bytes;
    this.retries.request();
    this.progress.entered(nowMs);
  }

  /** Notes its end; `ran`: an instance worked for it. */
  left(bytes: number, nowMs: number, ran: boolean): void {
    this.liveInFlight -= 1;
    this.bytesInFlight -= bytes;
    this.progress.left(nowMs, ran);
  }

  /**
   * Live calls that may be open: twice what the instances run at once, the second half queues (azureml-contract 4.5); of
   * that this router's share.
   */
  liveLimit(maxConcurrentRequestsPerInstance: number): number {
    return Math.ceil((2 * maxConcurrentRequestsPerInstance * this.slots.length) / this.shareOf);
  }

  /** Calls that the instances can bear now: less than the contract's limit while some are slow. */
  bearable(maxConcurrentRequestsPerInstance: number): number {
    const most = 2 * maxConcurrentRequestsPerInstance;
    return this.slots.reduce(
      (sum, { limit }) => sum + Math.max(maxConcurrentRequestsPerInstance, limit.current(most)),
      0,
    );
  }

  /** How long what is open now takes to be done, ms: when a refused caller has a chance again. */
  retryAfterMs(maxConcurrentRequestsPerInstance: number): number {
    this.setConcurrency(maxConcurrentRequestsPerInstance);
    return retryAfterOf(this.progress.gapMs * this.liveInFlight);
  }

  /** `1 starting, 2 failed`, or `none`. */
  describe(): string {
    const counts = new Map<string, number>();
    for (const state of this.states.values()) counts.set(state, (counts.get(state) ?? 0) + 1);
    return [...counts].map(([state, count]) => `${count} ${state}`).join(', ') || 'none';
  }
}
