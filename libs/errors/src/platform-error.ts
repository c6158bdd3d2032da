import { boundary, type ErrorCode } from './code-table.ts';

/** One thing that is wrong with an input: where, what, and what would be right. */
export interface FieldProblem {
  /** Path as the caller wrote it: `request_settings.request_timeout_ms`, `properties.traffic.blue`, `--traffic`. */
  path: string;
  problem: string;
  /** What would be right, where it can be said. */
  expected?: string;
}

export interface PlatformErrorOptions {
  cause?: unknown;
  /** Every problem found, so that a caller mends all at once. */
  problems?: readonly FieldProblem[];
  /** When the caller should try again; becomes `Retry-After`. */
  retryAfterMs?: number;
  /** The status that the model itself answered; only with code `model_failed`. */
  modelStatus?: number;
}

/** What trying again can help: our capacity, the caller's share of it, and a deadline. */
const triedAgain: ReadonlySet<ErrorCode> = new Set([
  'resource_exhausted',
  'unavailable',
  'scoring_timeout',
  'deadline_exceeded',
]);
const retryAfterDefaultMs = 1_000;

/** Every error that may cross an edge. `code` decides the status, `reason` is stable for tools, `message` for people. */
export class PlatformError extends Error {
  override readonly name = 'PlatformError';
  readonly code: ErrorCode;
  /** SCREAMING_SNAKE, stable: tools match on it. */
  readonly reason: string;
  readonly problems: readonly FieldProblem[];
  readonly retryAfterMs: number | undefined;
  readonly modelStatus: number | undefined;

  constructor(code: ErrorCode, reason: string, message: string, options: PlatformErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.reason = reason;
    this.problems = options.problems ?? [];
    this.retryAfterMs = options.retryAfterMs;
    this.modelStatus = options.modelStatus;
  }

  /**
   * One whose stack says nothing, because it is an answer that was meant: under overload thousands are made a second, and
   * collecting the stack takes longer than the rest of the refusal's making.
   */
  static refusal(code: ErrorCode, reason: string, message: string, options: PlatformErrorOptions = {}): PlatformError {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    try {
      return new PlatformError(code, reason, message, options);
    } finally {
      Error.stackTraceLimit = limit;
    }
  }

  get httpStatus(): number {
    return boundary(this.code).http;
  }

  /** What an edge tells its caller: `retryAfterMs`, or a second where nobody knew but trying again can help. */
  get retryAfterToldMs(): number | undefined {
    return this.retryAfterMs ?? (triedAgain.has(this.code) ? retryAfterDefaultMs : undefined);
  }

  /** Anything thrown as a PlatformError. An unknown error becomes `internal`: its text stays in `cause`, for the log only. */
  static from(thrown: unknown): PlatformError {
    if (thrown instanceof PlatformError) return thrown;
    return new PlatformError('internal', 'UNEXPECTED', 'An unexpected error occurred; the log has the details.', {
      cause: thrown,
    });
  }

  /** One error out of many problems: `what` says which input, each problem its field. */
  static invalid(what: string, problems: readonly FieldProblem[], reason = 'VALIDATION_FAILED'): PlatformError {
    const lines = problems.map((p) => `${p.path}: ${p.problem}${p.expected ? ` (expected ${p.expected})` : ''}`);
    return new PlatformError('invalid_argument', reason, `${what}: ${lines.join('; ')}`, { problems });
  }
}
