import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { PlatformError } from '@mooring/errors';
import { asList, asObject, textOf } from '../arm-error.ts';
import { networkError, readText } from '../http.ts';
import type { Step } from '../operations.ts';
import { isInside } from './is-inside.ts';
import { downloadBlob, type BlobDownload, type DownloadOptions } from './blob.ts';

export interface DownloadedFiles {
  files: number;
  bytes: number;
  /** Of these, files that were there already, the very same. */
  present: number;
}

export interface OutputOptions extends Omit<DownloadOptions, 'onBytes'> {
  onStep?: ((step: Step) => void) | undefined;
}

const manifestBytesMax = 64 * 1024 * 1024;

/**
 * Brings the output of one job, `azureml://datastores/<container>/paths/<folder>`, into `folder`: predictions, errors, parts, what scripts
 * wrote, summary and manifest. Each file appears whole, compared with the manifest by size and SHA-256; the manifest comes last, so
 * that a folder with one is complete. Rejects with NO_OUTPUT where the job has written no manifest.
 */
export async function downloadJobOutput(
  output: { container: string; folder: string },
  folder: string,
  options: OutputOptions,
): Promise<DownloadedFiles> {
  const text = await manifestOf(output, options);
  const files = [...filesOf(text), { file: 'summary.json' }, manifestFile(text)];
  const total = files.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
  const got: DownloadedFiles = { files: files.length, bytes: 0, present: 0 };
  for (const { file, ...expected } of files) {
    const onBytes = (bytes: number): void => {
      got.bytes += bytes;
      if (total > 0) options.onStep?.({ step: `downloading ${file}`, percentComplete: percentOf(got.bytes, total) });
    };
    options.onStep?.({ step: `downloading ${file}` });
    const blob: BlobDownload = { container: output.container, path: `${output.folder}/${file}`, ...expected };
    if (!(await downloadBlob(blob, join(folder, file), { ...options, onBytes }))) got.present += 1;
  }
  return got;
}

function percentOf(bytes: number, total: number): number {
  return Math.min(100, Math.floor((100 * bytes) / total));
}

async function manifestOf(
  { container, folder }: { container: string; folder: string },
  options: OutputOptions,
): Promise<string> {
  const { client, signal } = options;
  try {
    return await readText(await client.openBlob(container, `${folder}/manifest.json`, { signal }), manifestBytesMax);
  } catch (thrown) {
    const error = networkError(thrown, { address: 'the artifact store', deadlineMs: 0, signal });
    if (error.code !== 'not_found') throw error;
    const message = `there is no output at ${container}/${folder}: a job writes it when it ends, once its input was found`;
    throw new PlatformError('failed_precondition', 'NO_OUTPUT', message, { cause: thrown });
  }
}

interface OutputFile {
  file: string;
  bytes?: number;
  sha256?: string;
}

function filesOf(text: string): OutputFile[] {
  let manifest: Record<string, unknown>;
  try {
    manifest = asObject(JSON.parse(text));
  } catch (thrown) {
    throw unreadable('it is not JSON', thrown);
  }
  const listed = [manifest['predictions'], manifest['errors'], manifest['parts'], ...asList(manifest['scriptFiles'])];
  return listed.filter((item) => item !== undefined && item !== null).map(fileOf);
}

function fileOf(item: unknown): OutputFile {
  const { file: name, bytes, sha256 } = asObject(item);
  const file = textOf(name) ?? '';
  if (!isInside(file)) throw unreadable(`it names the file '${file.replace(/\p{Cc}/gu, '?').slice(0, 100)}'`);
  if (typeof bytes !== 'number' || typeof sha256 !== 'string') throw unreadable(`it does not say what ${file} is`);
  return { file, bytes, sha256 };
}

function manifestFile(text: string): OutputFile {
  const bytes = Buffer.byteLength(text);
  return { file: 'manifest.json', bytes, sha256: createHash('sha256').update(text).digest('hex') };
}

function unreadable(why: string, cause?: unknown): PlatformError {
  const message = `the manifest of the output cannot be used: ${why}`;
  return new PlatformError('failed_precondition', 'BAD_MANIFEST', message, { cause });
}
