import type { Lifecycle } from '@mooring/runtime';
import type { ScoringPort } from '@mooring/scoring-stream';

/** What the gateway must know of an endpoint to tell its callers apart from mistakes. */
export interface EndpointEntry {
  /** As the user wrote it. */
  name: string;
  deployments: readonly { name: string; model: string | undefined }[];
}

/** The endpoints that this process knows; never a network call. Names are found without regard to case. */
export interface EndpointDirectory {
  find(name: string): EndpointEntry | undefined;
  all(): Iterable<EndpointEntry>;
}

/** Checks keys against what this process knows; never a network call. */
export interface EndpointGate {
  /** True when `key` opens the endpoint. Takes the same time for any wrong key. */
  opens(endpoint: string, key: string): boolean;
}

/** Where calls go: the router in this process, or the stream to one in another. */
export interface ScoringEdge extends Lifecycle {
  readonly port: ScoringPort;
}
