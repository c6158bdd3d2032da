import { messageOf } from './errors.ts';

const failuresShown = 20;

/** What people see while a test runs; the summary goes elsewhere. */
export class Log {
  private failures = 0;
  private readonly write: (text: string) => void;
  private readonly quiet: boolean;

  constructor(write: (text: string) => void, quiet = false) {
    this.write = write;
    this.quiet = quiet;
  }

  progress(line: string): void {
    if (!this.quiet) this.write(`${line}\n`);
  }

  warn(message: string): void {
    this.write(`WARN  ${message}\n`);
  }

  error(message: string): void {
    this.write(`ERROR ${message}\n`);
  }

  /** A server that is down fails thousands of iterations alike: the first ones are shown, the rest counted. */
  iterationFailed(error: unknown): void {
    this.failures += 1;
    if (this.failures > failuresShown) return;
    const stack = error instanceof Error ? error.stack : undefined;
    this.error(`an iteration failed: ${stack ?? messageOf(error)}`);
  }

  end(): void {
    const hidden = this.failures - failuresShown;
    if (hidden > 0) this.error(`${hidden} more iterations failed (${this.failures} in all)`);
  }
}
