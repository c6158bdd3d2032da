/** What one connection may ask of the server. */
export interface HttpLimits {
  /** Request line and headers together, with their line ends. */
  headBytesMax: number;
  /** The request line. */
  lineBytesMax: number;
  headersMax: number;
  /** All chunk sizes' extensions of one body, and its trailers, each. */
  chunkExtraBytesMax: number;
  /** Requests of one connection that are worked on at the same time; the rest waits in the socket. */
  pipelineMax: number;
  connectionsMax: number;
  /** Time for the request line and headers. */
  headersTimeoutMs: number;
  /** Longest silence while a body arrives. */
  bodyIdleTimeoutMs: number;
  /** Longest time that a whole body may take. */
  bodyTimeoutMs: number;
  keepAliveTimeoutMs: number;
  /** Longest time in which an answer makes no progress because its reader is slow. */
  writeStallTimeoutMs: number;
}

export const defaultLimits = {
  headBytesMax: 16 * 1024,
  lineBytesMax: 8 * 1024,
  headersMax: 200,
  chunkExtraBytesMax: 16 * 1024,
  pipelineMax: 16,
  writeStallTimeoutMs: 60_000,
} as const;
