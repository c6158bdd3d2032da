/** Exit codes that a caller of k6 knows. */
export const exitCode = {
  ok: 0,
  thresholdsCrossed: 99,
  setupTimeout: 100,
  teardownTimeout: 101,
  invalidConfig: 104,
  interrupted: 105,
  scriptException: 107,
  scriptAborted: 108,
  markedAsFailed: 110,
} as const;

/** Ends the run with the exit code that k6 gives for the same reason. */
export class RunError extends Error {
  readonly exitCode: number;

  constructor(code: keyof typeof exitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RunError';
    this.exitCode = exitCode[code];
  }
}

/** Ends what an iteration still waits for, when it is cut short. Nobody's fault, so never told as an error. */
export class Interrupted extends Error {
  constructor() {
    super('the iteration was interrupted');
    this.name = 'Interrupted';
  }
}

export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
