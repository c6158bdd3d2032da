import type { JobOutput, JobRecord, MiniBatchRecord } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { ArtifactStore } from '@mooring/storage';

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

/** What the manifests of all jobs begin with. */
export type ManifestHead = Pick<
  Manifest,
  'format' | 'job' | 'endpoint' | 'deployment' | 'createdBy' | 'createdAt' | 'finalizedAt' | 'status' | 'attempt'
>;

export function manifestHead(job: JobRecord, at: Date): ManifestHead {
  const { name, endpoint, deployment, createdBy, createdAt, attempt, ending: status = 'Failed' } = job;
  const finalizedAt = at.toISOString();
  return { format: 1, job: name, endpoint, deployment, createdBy, createdAt, finalizedAt, status, attempt };
}

const bytesMax = 64 * 2 ** 20;

/** A JSON file of an output. */
export function jsonBytes(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** `manifest.json` of an output as it lies there; undefined where there is none. */
export async function manifestText(
  store: Pick<ArtifactStore, 'get'>,
  { container, folder }: JobOutput,
): Promise<Buffer | undefined> {
  try {
    const { head, content } = await store.get(container, `${folder}/manifest.json`);
    if (head.bytes > bytesMax) return undefined;
    const chunks: Buffer[] = [];
    for await (const chunk of content) chunks.push(Buffer.from(chunk as Uint8Array));
    return Buffer.concat(chunks);
  } catch (thrown) {
    if (PlatformError.from(thrown).code === 'not_found') return undefined;
    throw thrown;
  }
}

/** A job's manifest. Rejects with `failed_precondition` / NO_MANIFEST where there is none that can be read. */
export async function readManifest<M extends Pick<Manifest, 'format'>>(
  store: Pick<ArtifactStore, 'get'>,
  { name, status, output }: JobRecord,
): Promise<M> {
  const text = await manifestText(store, output);
  const manifest = text && parsed(text);
  if (manifest?.format === 1) return manifest as M;
  const message = `job '${name}' (${status}) has no manifest that can be read. A job writes it when it ends, once its input was found.`;
  throw new PlatformError('failed_precondition', 'NO_MANIFEST', message);
}

function parsed(text: Buffer): { format?: unknown } | undefined {
  try {
    return (JSON.parse(text.toString('utf8')) as { format?: unknown } | null) ?? undefined;
  } catch {
    return undefined;
  }
}
