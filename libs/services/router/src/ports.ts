import type { InstanceRecord, MirrorReportRecord } from '@mooring/domain';
import type { ScoringPort } from '@mooring/scoring-stream';

/** The scoring stream to one instance. Dials by itself and again after a loss. */
export interface InstanceStream extends ScoringPort {
  /** True while it is connected and its instance takes new calls. */
  ready(): boolean;
  close(): void;
}

export type OpenInstanceStream = (record: InstanceRecord) => InstanceStream;

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
