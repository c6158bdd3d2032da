/** What became of one request, whatever the protocol. */
export interface Outcome {
  /** `answered` with success, `refused` by the overload contract, else `failed`. */
  readonly kind: 'answered' | 'refused' | 'failed';
  /** The HTTP status or `grpc 14`; `none` when nothing came back. */
  readonly status: string;
  /** In words, for people: empty when answered. */
  readonly detail: string;
  /** Undefined when it cannot be told from the time that connecting took. */
  readonly durationMs: number | undefined;
  /** A refusal says when to come again ... */
  readonly hasRetryAfter: boolean;
  /** ... and why, in a word that a program can read. */
  readonly hasReason: boolean;
}
