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

/** Where it is remembered that a key was right. */
export interface KnownKey {
  /** What it opened: an endpoint's keys, as another object once they change. */
  opened: object | undefined;
}

/** Checks keys against what this process knows; never a network call. */
export interface EndpointGate {
  /**
   * True when `key` opens the endpoint. Takes the same time for any wrong key. `known` belongs to this key and endpoint, and
   * spares a key that was found right before until the endpoint's keys change.
   */
  opens(endpoint: string, key: string, known?: KnownKey): boolean;
}

/** Where calls go: the router in this process, or the stream to one in another. */
export interface ScoringEdge extends Lifecycle {
  readonly port: ScoringPort;
}
