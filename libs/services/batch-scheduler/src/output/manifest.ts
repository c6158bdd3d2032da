import type { MiniBatchRecord } from '@mooring/domain';

/** A file of the job's output. */
export interface FileDigest {
  file: string;
  bytes: number;
  lines: number;
  sha256: string;
}

/** A line of `parts.jsonl`: a mini-batch and what of the output is its. Lines are in the order of the input. */
export type ManifestPart = Pick<
  MiniBatchRecord,
  'index' | 'attempt' | 'items' | 'succeeded' | 'failed' | 'skipped' | 'part' | 'errors'
>;

/** `manifest.json`: what was asked, what ran, and what every file of the output is. Written last. */
export interface Manifest {
  format: 1;
  job: string;
  endpoint: string;
  deployment: string;
  createdBy: string;
  createdAt: string;
  finalizedAt: string;
  status: 'Completed' | 'Failed' | 'Canceled';
  attempt: number;
  model: { key: string; sha256: string | undefined };
  code: { key: string; sha256: string | undefined } | undefined;
  environment: { key: string; digest: string | undefined } | undefined;
  input: { uri: string; files?: number; bytes?: number; items?: number; miniBatches?: number; sha256?: string };
  /** `in` = succeeded + failed + skipped. */
  items: { in: number; succeeded: number; failed: number; skipped: number };
  /** Absent with `summary_only`. */
  predictions: FileDigest | undefined;
  /** A line for each failed item. */
  errors: FileDigest;
  parts: FileDigest;
  /** What scripts wrote themselves (AZUREML_BI_OUTPUT_PATH); how often, nobody can prove. */
  scriptFiles: readonly FileDigest[];
}

/** Files of every output: no predictions and no file of a script may have such a name. */
export const ownFiles: ReadonlySet<string> = new Set(['errors.jsonl', 'parts.jsonl', 'summary.json', 'manifest.json']);
