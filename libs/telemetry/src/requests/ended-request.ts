import type { RequestPart } from '@mooring/domain';

/** What the router told of a request, as a scoring reply carries it. */
export interface Decided {
  readonly deployment: string;
  readonly instanceId: string;
  readonly batchId: string;
  readonly batchRows: number;
  readonly rows: number;
  readonly retries: number;
  readonly pick: string;
  /** 0 = no slot was drawn. */
  readonly trafficSlotPlusOne: number;
  readonly ejections: number;
  readonly modelDigest: string;
  readonly coldStart: string;
  readonly placement: string;
  readonly cache: string;
  readonly idempotency: string;
  /** Names with commas between them. */
  readonly mirrored: string;
}

/** A request that is over, as the edge that answered it knows it. */
export interface EndedRequest {
  readonly requestId: string;
  /** Empty when the caller sent none. */
  readonly clientRequestId: string;
  readonly atMs: number;
  readonly protocol: string;
  /** As the user wrote it; empty when the caller was not let in to one. */
  readonly endpoint: string;
  readonly status: number;
  /** Empty when it did not fail. */
  readonly reason: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly totalMs: number;
  readonly parts: Readonly<Record<RequestPart, number>>;
}
