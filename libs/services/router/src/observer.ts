import type { PlatformError } from '@mooring/errors';
import type { ScoreCall, ScoreReply } from '@mooring/scoring-stream';
import type { DeploymentEntry } from './domain/directory.ts';

/** One step of a trace. */
export interface ObservedSpan {
  /** What whoever works for this step gets; empty when the request is not traced. */
  readonly traceparent: string;
  end(error?: { reason: string }): void;
}

/** What the router tells to metrics and traces. */
export interface RouterObserver {
  span(call: ScoreCall): ObservedSpan;
  /** A trace of its own, linked to the live one. */
  mirrorSpan(target: DeploymentEntry, call: ScoreCall): ObservedSpan;
  picked(target: DeploymentEntry, why: 'weight' | 'pin' | 'mirror'): void;
  answered(target: DeploymentEntry, answer: ScoreReply): void;
  rejected(target: DeploymentEntry | undefined, error: PlatformError): void;
  ejected(target: DeploymentEntry): void;
  /** A call was not given to another instance, because retries were a tenth of all calls already. */
  retryDenied(target: DeploymentEntry): void;
  mirrorSent(target: DeploymentEntry): void;
  mirrorDropped(target: DeploymentEntry, reason: string): void;
  mirrorCompared(target: DeploymentEntry, result: string, deltaMs: number | undefined): void;
}
