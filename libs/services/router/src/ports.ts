import type { InstanceRecord, MirrorReportRecord } from '@mooring/domain';
import type { ScoringPort } from '@mooring/scoring-stream';

/** The scoring stream to one instance. Dials by itself and again after a loss. */
export interface InstanceStream extends ScoringPort {
  /** True while it is connected and its instance takes new calls. */
  ready(): boolean;
  /** Calls that its instance works on at the same time; 0 or absent = as many as it is given. */
  parallel?(): number;
  close(): void;
}

export type OpenInstanceStream = (record: InstanceRecord) => InstanceStream;

/** A deployment's model in this process, beside its instances. */
export interface InlinePort extends ScoringPort {
  /** Larger requests are left to the instances. */
  readonly bodyBytesMax: number;
  /** How long the event loop stood still to load it. */
  readonly blockedMs: number;
  /** Takes nothing new; resolves when what it has is answered and the model is gone. Never rejects. */
  close(): Promise<void>;
}

/** Checks callers against what this process knows; never a network call. */
export interface EndpointGate {
  /** Throws `unauthenticated` unless `authorization` (`Bearer <key>`) opens the endpoint. */
  check(endpoint: string, authorization: string): void;
}

/** Where mirror reports are kept. */
export interface MirrorReports {
  put(report: MirrorReportRecord): Promise<void>;
  remove(endpoint: string, deployment: string): Promise<void>;
}

/** Clock, in milliseconds; only differences count. */
export type Clock = () => number;
