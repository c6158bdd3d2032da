import type { BatchJobSettings } from './batch.ts';
import type { OnnxRuntimeSpec, PythonRuntimeSpec } from './instance.ts';
import type { BoundInput, BoundOutput } from './pipeline/bind-pipeline.ts';

/**
 * Batch jobs. A job is one document; each of its mini-batches is one more, which exists exactly when that mini-batch is done.
 * What a mini-batch wrote counts by being named in its record and in no other way, so whatever ran twice counts once.
 */

export const jobStatuses = [
  'Queued',
  'Preparing',
  'Running',
  'Finalizing',
  'Completed',
  'Failed',
  'CancelRequested',
  'Canceled',
] as const;

export type JobStatus = (typeof jobStatuses)[number];

export const jobsBucket = 'mooring_jobs';

/** Bucket `mooring_jobs`, key = `job.<name in lower case>`. Written by the batch-scheduler alone, by compare and set. */
export interface JobRecord {
  /** As the caller wrote it, or generated. */
  name: string;
  displayName: string;
  description?: string;
  experimentName: string;
  tags: Readonly<Record<string, string>>;
  properties: Readonly<Record<string, string>>;
  /** As the user wrote them. */
  endpoint: string;
  deployment: string;
  createdAt: string;
  createdBy: string;
  /** SHA-256 of what was asked: the same name with another is refused. */
  fingerprint: string;
  input: JobInput;
  output: JobOutput;
  /** The deployment's, with what the job overrides. */
  settings: BatchJobSettings;
  /** Versions that it runs with, whatever the deployment becomes meanwhile. */
  model: string;
  code?: { codeKey: string; scoringScript: string };
  environment?: string;
  status: JobStatus;
  /** Of the present status. */
  since: string;
  startedAt?: string;
  endedAt?: string;
  /** Why it failed, for people; the code is Azure's where it has one. */
  error?: { code: string; message: string };
  /** While it is Finalizing: what it will have come to. */
  ending?: 'Completed' | 'Failed' | 'Canceled';
  /** Grows with each resume; mini-batches that failed in an earlier one run again. */
  attempt: number;
  /** Mini-batches from this one on have never been on the work queue in this attempt. */
  pushedTo: number;
  /** Known once the input is listed. */
  listing?: {
    files: number;
    bytes: number;
    items: number;
    miniBatches: number;
    itemKind: 'files' | 'rows' | 'steps';
    sha256: string;
  };
  /** Brought up to date about once a second while it runs. */
  progress: JobProgress;
  /** Digests of what ran; known once it is prepared. */
  ran?: { modelSha256?: string; codeSha256?: string; environment?: string };
  usage: JobUsage;
  /** Its parts, listing, logs and records are kept no longer, since then; its output is. */
  filesRemovedAt?: string;
  /** What earlier attempts took. */
  usedBefore?: JobUsage;
  /** How often in this attempt what a mini-batch wrote was found damaged, and the mini-batch run again. */
  repairs?: number;
  /** W3C traceparent of the span that accepted it, under which all of its spans are; absent where nothing is traced. */
  traceparent?: string;
  /** Of a job of a pipeline, whose items are its steps. Its own `input`, `settings` and `model` mean nothing then. */
  pipeline?: PipelinePlan;
  /** Of a job that is a step of another. */
  step?: JobStep;
}

/** What a job of a pipeline consists of, every version fixed when it was accepted. */
export interface PipelinePlan {
  /** Key of the component, `name/version`. */
  component: string;
  continueOnStepFailure: boolean;
  inputs: Readonly<Record<string, BoundInput>>;
  outputs: Readonly<Record<string, BoundOutput>>;
  /** Each after those whose outputs it takes. */
  steps: readonly PlannedStep[];
}

/** What the job of a step is made of. */
export interface PlannedStep extends Pick<JobRecord, 'output' | 'settings' | 'code' | 'environment' | 'input'> {
  name: string;
  /** Steps that must have completed. */
  after: readonly string[];
  runs: StepRuns;
}

export interface JobStep extends StepRuns {
  /** The job of the pipeline. */
  job: string;
  name: string;
  /** That job's attempt in which this one was begun, or begun again. */
  attempt: number;
  /** Where its data inputs are on this machine, by their names; known once it is prepared. */
  paths?: Readonly<Record<string, string>>;
}

/** What a step runs, and with what. */
export interface StepRuns {
  /** A command line; absent for a parallel step, whose script is `code`. */
  command?: string;
  /** Of a parallel step: what its script is started with beside what every one is. */
  arguments?: string;
  inputs: Readonly<Record<string, BoundInput>>;
  /** Where what it writes lies when it has ended; a file of one is called as the output where that is a `uri_file`. */
  outputs: Readonly<Record<string, BoundOutput>>;
  environmentVariables: Readonly<Record<string, string>>;
}

/**
 * For costs: what went into the mini-batches that have a record, of all attempts together, so an item that ran in two of them counts
 * twice. Made of the records, whatever was restarted meanwhile.
 */
export interface JobUsage {
  /** Seconds that processes spent on mini-batches, further runs of them included; without loading and waiting. */
  instanceS: number;
  items: number;
  /** Of the input. */
  bytes: number;
}

export interface JobProgress {
  succeeded: number;
  failed: number;
  skipped: number;
  miniBatchesDone: number;
  itemsPerS?: number;
  etaS?: number;
  /** Jobs that are before it, while it is queued: said of a job that is shown, and not stored. */
  queuePosition?: number;
}

export interface JobInput {
  name: string;
  type: 'uri_folder' | 'uri_file';
  /** As asked for: `azureml:data:1`, `azureml://datastores/...`, `https://...`; the last without its query once it was fetched. */
  uri: string;
}

export interface JobOutput {
  /** Container and folder in the artifact store; `azureml/<job>/score` of the default one unless asked for. */
  container: string;
  folder: string;
}

/** One file of a job's input, as it was when it was listed. */
export interface InputFile {
  /** Below the input's folder, with `/` between names. */
  path: string;
  /** Absolute, on this machine. */
  localPath: string;
  bytes: number;
  /** Whole milliseconds; a file whose size or time differs when it is read has changed since. */
  modifiedMs: number;
  /** Why it is not read at all (a link, a name that is no text): its item fails with this. */
  problem?: { reason: string; message: string };
}

export type RowFormat = 'csv' | 'jsonl' | 'parquet';

/** Rows of one tabular file. */
export interface RowRange {
  file: InputFile;
  format: RowFormat;
  compression?: 'gzip' | 'zstd';
  /** Number of its first row in the file, from 0; a CSV's header is no row. */
  firstRow: number;
  rows: number;
  /** Where these rows lie in the (decompressed) file; absent for Parquet, which has row groups. */
  bytes?: { start: number; end: number };
  /** Column names: of a CSV's header, of a Parquet file, of the first row of JSON lines that are objects. */
  columns?: readonly string[];
  /**
   * Why nothing can be read from this file. It counts as one item then (`rows` is 1), which fails with this reason and message;
   * `format` means nothing where its name says none.
   */
  problem?: { reason: string; message: string };
}

/** What one `run()` gets: a line of the job's `mini-batches.jsonl`. */
export interface MiniBatch {
  job: string;
  attempt: number;
  /** From 0, in the order of the input. */
  index: number;
  /** Number of its first item among all items of the job. */
  firstItem: number;
  items: number;
  /** Exactly one of the two. */
  files?: readonly InputFile[];
  rows?: RowRange;
}

/** On the work queue: where the mini-batch stands, because a message has a size limit and a mini-batch of files may exceed it. */
export interface MiniBatchMessage {
  job: string;
  attempt: number;
  index: number;
  /** Of its line in `mini-batches.jsonl`. */
  start: number;
  length: number;
}

export const miniBatchesBucket = 'mooring_mini_batches';

/** Bucket `mooring_mini_batches`, key = `<job in lower case>.trouble`: why workers cannot run this attempt at all. */
export interface JobTrouble {
  attempt: number;
  code: string;
  message: string;
}

/**
 * Bucket `mooring_mini_batches`, key = `<job in lower case>.<index>`. Made by whoever finished the mini-batch first; what
 * others wrote for it is thrown away.
 */
export interface MiniBatchRecord {
  index: number;
  attempt: number;
  items: number;
  succeeded: number;
  /** Items that the script left out on purpose are failed ones, too. */
  failed: number;
  /** Of a mini-batch that nobody ran because its job was ending: all of its items. It runs when the job is resumed. */
  skipped: number;
  /** No run of it came to an end; it runs again when the job is resumed. */
  failedWhole?: true;
  /** Of its part of the input, as it lies on disk; 0 of one that was skipped. */
  bytes?: number;
  part?: PartFile;
  errors?: PartFile;
  runs: number;
  worker: string;
  startedAt: string;
  endedAt: string;
}

/** A file of the job's `parts` folder, whole and on disk before its name is recorded. */
export interface PartFile {
  file: string;
  bytes: number;
  lines: number;
  sha256: string;
}

/** A line of an errors part, and of the job's `errors.jsonl`. */
export interface ItemError {
  /** Among all items of the job. */
  item: number;
  /** The file's path below the input, with `#row` behind it for a row. */
  source: string;
  /**
   * `FileChanged`, `FileUnreadable`, `BadFile` (of a format that cannot be rows, or not what its name says), `BadRow`,
   * `ScriptRaised`, `ScriptTimedOut`, `ScriptExited`, `ScriptReturnedFewer`, `WorkerLost`, ...
   */
  reason: string;
  message: string;
  runs: number;
}

/** What was found when everything that a job wrote was read again. */
export interface JobVerification {
  job: string;
  ok: boolean;
  items: { in: number; succeeded: number; failed: number; skipped: number };
  miniBatches: number;
  /** Items of which nothing is said, and items that are counted more than once. */
  missing: number;
  twice: number;
  filesRead: number;
  bytesRead: number;
  /** Each thing that is not as it should be, in words; the first hundred. */
  problems: string[];
  /** What could not be looked at any more, in words. */
  notes: string[];
}

/** What the controller gets ready for a step that is a command. */
export type CommandLaunch = Omit<BatchLaunch, 'runtime'> & { runtime: CommandRuntimeSpec };

/** A command line; its Python is `interpreter`. */
export interface CommandRuntimeSpec {
  kind: 'command';
  interpreter: string;
  /** Absent where the component has no code. */
  codeDir?: string;
}

/** What the controller gets ready for a job's processes. */
export interface BatchLaunch {
  runtime: OnnxRuntimeSpec | PythonRuntimeSpec;
  model?: { name: string; version: string; path: string; digest: string };
  codeDigest?: string;
  environmentDigest?: string;
  environmentVariables: Readonly<Record<string, string>>;
  limits: { cpu: number; memoryMib: number };
  warnings: readonly string[];
}
