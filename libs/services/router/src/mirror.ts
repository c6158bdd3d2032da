import { Priority } from '@mooring/contracts/scoring';
import { failedReply, type ScoreCall, type ScoreReply } from '@mooring/scoring-stream';
import { attempt, type AttemptDeps } from './attempt.ts';
import { CallDeadline } from './domain/call-deadline.ts';
import { noInstance } from './domain/choose.ts';
import { compareReplies } from './domain/compare-replies.ts';
import type { DeploymentEntry } from './domain/directory.ts';
import { MirrorTally } from './domain/mirror-tally.ts';
import type { RouterObserver } from './observer.ts';

export interface MirrorLimits {
  /** Copies that may be open per deployment. */
  queueMax: number;
  /** Bytes that the copies of all deployments may hold. */
  bytesMax: number;
  compareBytesMax: number;
}

export interface MirrorDeps extends AttemptDeps {
  limits: MirrorLimits;
  observer: RouterObserver;
}

interface Timed {
  answer: ScoreReply;
  elapsedMs: number;
}

/**
 * Sends copies of live calls and compares the answers. Nothing here is awaited by a live call or can throw into it: a
 * mirror that hangs fills its bounded queue, and from then on copies are dropped and counted.
 */
export class MirrorSender {
  /** By `endpoint/deployment`; at most as many as there are mirrored deployments. */
  readonly tallies = new Map<string, MirrorTally>();
  private readonly deps: MirrorDeps;
  private readonly open = new Map<string, number>();
  private heldBytes = 0;
  private readonly stopped = new AbortController();

  constructor(deps: MirrorDeps) {
    this.deps = deps;
  }

  /** Takes copies of `call` for `targets`; `live` is the live call's own answer, to compare with. */
  send(targets: readonly DeploymentEntry[], call: ScoreCall, live: Promise<ScoreReply>): void {
    const sentMs = this.deps.now();
    const timedLive = live.then((answer) => ({ answer, elapsedMs: this.deps.now() - sentMs }));
    // The live call was handed on in this very tick; its frame goes out before any copy is made.
    for (const target of targets) setImmediate(() => this.offer(target, call, timedLive));
  }

  /** Ends the copies that are open. */
  stop(): void {
    this.stopped.abort();
  }

  private offer(target: DeploymentEntry, call: ScoreCall, live: Promise<Timed>): void {
    const key = `${target.endpoint}/${target.name}`;
    const tally = this.tallyOf(key, target);
    const open = this.open.get(key) ?? 0;
    const full = this.whyNot(target, open, call.body.length);
    if (full !== undefined) {
      tally.noteDropped();
      this.deps.observer.mirrorDropped(target, full);
      return;
    }
    this.open.set(key, open + 1);
    this.heldBytes += call.body.length;
    tally.noteSent();
    this.deps.observer.mirrorSent(target);
    void this.sendAndCompare(target, call, live, tally).finally(() => {
      this.open.set(key, (this.open.get(key) ?? 1) - 1);
      this.heldBytes -= call.body.length;
    });
  }

  private whyNot(target: DeploymentEntry, open: number, bytes: number): string | undefined {
    const { queueMax, bytesMax } = this.deps.limits;
    if (this.stopped.signal.aborted) return 'shutdown';
    if (open >= queueMax) return 'queue_full';
    if (this.heldBytes + bytes > bytesMax) return 'bytes';
    return target.pool.slots.length === 0 ? 'no_instance' : undefined;
  }

  private async sendAndCompare(
    target: DeploymentEntry,
    call: ScoreCall,
    live: Promise<Timed>,
    tally: MirrorTally,
  ): Promise<void> {
    const mirrored = await this.sendCopy(target, call);
    const original = await this.holding(live, mirrored.answer.body.length);
    // The live caller went away (or this router stops): there is nothing to compare with, which is no fault of the mirror.
    if (original.answer.errorCode === 'cancelled' || mirrored.answer.errorCode === 'cancelled') {
      tally.noteDropped();
      this.deps.observer.mirrorDropped(target, 'cancelled');
      return;
    }
    // Comparisons take turns with live requests: one per turn of the event loop.
    await new Promise<void>((resolve) => setImmediate(resolve));
    const { mirrorTolerance, mirrorIgnore = [] } = target.route;
    const comparison = compareReplies(call.protocol, original.answer, mirrored.answer, {
      tolerance: mirrorTolerance,
      ignore: mirrorIgnore,
      bytesMax: this.deps.limits.compareBytesMax,
    });
    const bothAnswered = original.answer.errorCode === '' && mirrored.answer.errorCode === '';
    const deltaMs = bothAnswered ? mirrored.elapsedMs - original.elapsedMs : undefined;
    tally.noteCompared(comparison, call.requestId, new Date(), deltaMs);
    this.deps.observer.mirrorCompared(target, comparison.result, deltaMs);
  }

  /** Counts the mirror's answer as held while the live one is waited for. */
  private async holding(live: Promise<Timed>, bytes: number): Promise<Timed> {
    this.heldBytes += bytes;
    try {
      return await live;
    } finally {
      this.heldBytes -= bytes;
    }
  }

  private async sendCopy(target: DeploymentEntry, call: ScoreCall): Promise<Timed> {
    const { deps } = this;
    const sentMs = deps.now();
    const slot = target.pool.pick(sentMs, new Set());
    if (slot === undefined) {
      const error = noInstance(target.endpoint, target.route.name, target.pool.describe());
      return { answer: failedReply(error, false), elapsedMs: 0 };
    }
    const span = deps.observer.mirrorSpan(target, call);
    const copy = { ...call, priority: Priority.PRIORITY_MIRROR, traceparent: span.traceparent };
    // Its own time: a live caller's short deadline must not decide how the mirror looks.
    const deadline = new CallDeadline(target.route.requestTimeoutMs, 0, this.stopped.signal, deps.now);
    deps.observer.picked(target, 'mirror');
    const answer = await attempt(deps, target, slot, copy, deadline);
    deadline.done();
    span.end(answer.errorCode === '' ? undefined : { reason: answer.errorReason });
    return { answer, elapsedMs: deps.now() - sentMs };
  }

  private tallyOf(key: string, target: DeploymentEntry): MirrorTally {
    let tally = this.tallies.get(key);
    if (tally === undefined) this.tallies.set(key, (tally = new MirrorTally(target.endpoint, target.name, new Date())));
    return tally;
  }
}
