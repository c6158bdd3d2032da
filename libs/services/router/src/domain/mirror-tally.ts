import type { MirrorDifference, MirrorReportRecord } from '@mooring/domain';
import type { Comparison } from './compare-replies.ts';

const recentDifferencesMax = 32;
const deltasMax = 1_024;

/** What one mirrored deployment's comparisons add up to. Fixed size whatever the traffic. */
export class MirrorTally {
  readonly endpoint: string;
  readonly deployment: string;
  private readonly since: string;
  private sent = 0;
  private dropped = 0;
  private readonly compared = { equal: 0, within: 0, differs: 0, failed: 0 };
  private readonly differences: MirrorDifference[] = [];
  private readonly deltasMs = new Float64Array(deltasMax);
  private deltaCount = 0;
  /** Grows with every change, so that a flush knows whether there is something new. */
  version = 0;

  constructor(endpoint: string, deployment: string, since: Date) {
    this.endpoint = endpoint;
    this.deployment = deployment;
    this.since = since.toISOString();
  }

  noteSent(): void {
    this.sent += 1;
    this.version += 1;
  }

  noteDropped(): void {
    this.dropped += 1;
    this.version += 1;
  }

  /** `deltaMs`: mirror minus live; absent when one of the two gave no answer. */
  noteCompared(comparison: Comparison, requestId: string, at: Date, deltaMs: number | undefined): void {
    this.version += 1;
    this.compared[comparison.result] += 1;
    if (deltaMs !== undefined) {
      this.deltasMs[this.deltaCount % deltasMax] = deltaMs;
      this.deltaCount += 1;
    }
    const { result, ...found } = comparison;
    if (result === 'equal') return;
    this.differences.push({ requestId, at: at.toISOString(), result, ...found });
    if (this.differences.length > recentDifferencesMax) this.differences.shift();
  }

  report(routerId: string, now: Date): MirrorReportRecord {
    return {
      endpoint: this.endpoint,
      deployment: this.deployment,
      routerId,
      since: this.since,
      updatedAt: now.toISOString(),
      sent: this.sent,
      dropped: this.dropped,
      compared: { ...this.compared },
      latencyDeltaMs: this.latency(),
      recentDifferences: [...this.differences],
    };
  }

  private latency(): MirrorReportRecord['latencyDeltaMs'] {
    const sorted = this.deltasMs.slice(0, Math.min(this.deltaCount, deltasMax)).toSorted();
    return {
      p50: percentile(sorted, 0.5),
      p90: percentile(sorted, 0.9),
      p99: percentile(sorted, 0.99),
      count: this.deltaCount,
    };
  }
}

/** Nearest rank in ascending values, rounded to microseconds; 0 when there are none. */
export function percentile(sorted: Float64Array, share: number): number {
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return Math.round(value * 1_000) / 1_000;
}
