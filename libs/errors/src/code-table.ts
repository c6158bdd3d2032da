/**
 * The one table from an error's code to what each edge says: gRPC status, HTTP status, exit code, and whether the same
 * call may succeed if it is simply sent again. Nothing else in the code base holds a status number for an error.
 */
export interface Boundary {
  /** google.rpc.Code */
  grpc: number;
  /** HTTP status of both the data plane and the management REST. */
  http: number;
  /** Exit code of the command line. */
  exit: number;
  /** `caller`: the work may have happened, so only the caller can decide. */
  retry: 'no' | 'yes' | 'caller';
}

const table = {
  cancelled: { grpc: 1, http: 499, exit: 130, retry: 'no' },
  invalid_argument: { grpc: 3, http: 400, exit: 2, retry: 'no' },
  too_large: { grpc: 3, http: 413, exit: 2, retry: 'no' },
  // An identifying header longer than the contract allows (azureml-contract 4.2).
  headers_too_large: { grpc: 3, http: 431, exit: 2, retry: 'no' },
  uri_too_long: { grpc: 3, http: 414, exit: 2, retry: 'no' },
  expectation_failed: { grpc: 3, http: 417, exit: 2, retry: 'no' },
  http_version_unsupported: { grpc: 12, http: 505, exit: 2, retry: 'no' },
  unsupported_media: { grpc: 3, http: 415, exit: 2, retry: 'no' },
  method_not_allowed: { grpc: 12, http: 405, exit: 2, retry: 'no' },
  deadline_exceeded: { grpc: 4, http: 504, exit: 7, retry: 'caller' },
  // request_timeout_ms of the deployment, as Azure's managed endpoints answer it (azureml-contract 4.4).
  scoring_timeout: { grpc: 4, http: 408, exit: 7, retry: 'caller' },
  not_found: { grpc: 5, http: 404, exit: 3, retry: 'no' },
  already_exists: { grpc: 6, http: 409, exit: 5, retry: 'no' },
  permission_denied: { grpc: 7, http: 403, exit: 4, retry: 'no' },
  unauthenticated: { grpc: 16, http: 401, exit: 4, retry: 'no' },
  resource_exhausted: { grpc: 8, http: 429, exit: 6, retry: 'yes' },
  failed_precondition: { grpc: 9, http: 400, exit: 5, retry: 'no' },
  aborted: { grpc: 10, http: 409, exit: 5, retry: 'yes' },
  // The model answered, but not with success: Azure's 424 with the model's own status in a header (4.4).
  model_failed: { grpc: 2, http: 424, exit: 1, retry: 'caller' },
  unimplemented: { grpc: 12, http: 501, exit: 1, retry: 'no' },
  internal: { grpc: 13, http: 500, exit: 1, retry: 'no' },
  unavailable: { grpc: 14, http: 503, exit: 6, retry: 'yes' },
} as const satisfies Record<string, Boundary>;

export type ErrorCode = keyof typeof table;

export const errorCodes = Object.keys(table) as ErrorCode[];

/** What the edges say for `code`. */
export function boundary(code: ErrorCode): Boundary {
  return table[code];
}

/**
 * The code that a gRPC status means when the peer sent no code of its own. Where several codes share a status, the
 * first in the table's order of generality wins.
 */
export function codeFromGrpc(status: number): ErrorCode {
  const preferred: Record<number, ErrorCode> = {
    1: 'cancelled',
    2: 'internal',
    3: 'invalid_argument',
    4: 'deadline_exceeded',
    12: 'unimplemented',
  };
  return preferred[status] ?? errorCodes.find((code) => table[code].grpc === status) ?? 'internal';
}

/**
 * The code that an HTTP status means when the answer carried no code of its own; the first in the table wins where
 * several share a status. A status that is not in the table counts as the caller's (4xx) or the server's (5xx) fault.
 */
export function codeFromHttp(status: number): ErrorCode {
  if (status === 502) return 'unavailable';
  const known = errorCodes.find((code) => table[code].http === status);
  return known ?? (status >= 400 && status < 500 ? 'invalid_argument' : 'internal');
}
