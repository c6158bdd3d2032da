import type { Writable } from 'node:stream';
import type { BatchJobSettings, MiniBatch, PartFile } from '@mooring/domain';

/** What scores the mini-batches of one job, one at a time, in a process of its own. */
export interface MiniBatchRunner {
  /**
   * Loads: `init()` has returned, or the model's session is open. Rejects with a PlatformError that says why, for people; `signal`
   * ends the process.
   */
  start(signal: AbortSignal): Promise<void>;
  /**
   * Runs one mini-batch and writes what it gave into the parts folder, in files that no other run has, whole and on disk. A
   * process that is gone is started again first, which the run's time does not count.
   *
   * What script, model or data did is an outcome. Rejects with `cancelled` when `signal` is aborted (the process is ended then), and
   * with `resource_exhausted` / PARTS_NOT_WRITTEN where the disk refused the part: neither is a fault of the mini-batch.
   */
  run(batch: MiniBatch, options: RunOptions): Promise<MiniBatchOutcome>;
  /** Ends the process; when `signal` is aborted, at once. Never rejects. */
  stop(signal: AbortSignal): Promise<void>;
}

export interface RunOptions {
  /** Of `run()`, or of the rows' reading and scoring. */
  timeoutMs: number;
  signal: AbortSignal;
  /** How often this mini-batch has run, this time counted; written beside each failed item. */
  runs: number;
}

export type MiniBatchOutcome = MiniBatchDone | MiniBatchFailed;

/** `succeeded + failed` is the mini-batch's number of items, and `failed` the lines of `errors`. */
export interface MiniBatchDone {
  kind: 'done';
  succeeded: number;
  failed: number;
  /**
   * Absent with `summary_only`, and where there is no line. A script may return more lines than it got files, so its lines say nothing
   * about its items; of rows there is one line for each that succeeded.
   */
  part?: PartFile;
  /** A line (ItemError) for each failed item; absent where none failed. */
  errors?: PartFile;
}

/** The mini-batch failed whole, and may be run again; `writeFailedPart` when it is not. */
export interface MiniBatchFailed {
  kind: 'raised' | 'timed-out' | 'process-lost';
  /** For people: what was raised, how the process ended. */
  message: string;
}

export interface RunnerOptions {
  job: string;
  /** Made when it is missing. */
  partsFolder: string;
  /** HOME and temporary files of the process; made when it is missing, and the caller's to remove. */
  workFolder: string;
  /** AZUREML_BI_OUTPUT_PATH: where scripts write files of their own; shared by all processes of the job. */
  outputFolder: string;
  settings: BatchJobSettings;
  /** Takes what the process prints, line by line. */
  out: Writable;
  /** How long loading may take; 600 s unless given. */
  loadTimeoutMs?: number;
  /** What a script is started with beside what every one is. */
  arguments?: readonly string[];
  /** Columns that the model's only input is made of, in this order (`mooring.batch.columns`). */
  columns?: readonly string[];
}
