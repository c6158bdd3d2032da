import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { jobFiles, jsonLines, recordKey, type MiniBatchRecords } from '@mooring/batch-jobs';
import type { JobRecord, JobVerification, PartFile } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { ArtifactStore } from '@mooring/storage';
import { metrics } from '@mooring/telemetry';
import { placeOfFile } from '../pipeline/place-of-file.ts';
import { readManifest, type FileDigest, type Manifest, type ManifestPart } from './manifest.ts';
import { addNote, addProblem, concluded, newVerification } from './verification.ts';

export interface VerifyDeps {
  records: MiniBatchRecords;
  store: Pick<ArtifactStore, 'get' | 'localPath'>;
  jobsFolder: string;
}

/**
 * Reads everything that a job wrote and compares it with manifest, records and listing: every mini-batch there once, its lines in their
 * place with their digest, nothing between and nothing behind. Believes nothing that it can count. Rejects where there is no manifest.
 */
export async function verifyJob(deps: VerifyDeps, job: JobRecord, signal: AbortSignal): Promise<JobVerification> {
  const manifest = await readManifest<Manifest>(deps.store, job);
  const report = newVerification(job.name, manifest.items);
  const files = [manifest.parts, manifest.errors, manifest.predictions, ...manifest.scriptFiles];
  for (const file of files) if (file !== undefined) await checkFile(deps, job, file, report, signal);
  if (job.filesRemovedAt === undefined) await checkListing(deps, job, manifest, report, signal);
  else {
    addNote(
      report,
      `the job's records, parts and listing were removed on ${job.filesRemovedAt}: the output was compared with its manifest alone`,
    );
  }
  try {
    await checkParts(deps, job, manifest, report, signal);
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof PlatformError) throw thrown;
    addProblem(report, `the mini-batches cannot all be compared: ${(thrown as Error).message}`);
  }
  const { in: all, succeeded, failed, skipped } = manifest.items;
  if (all !== succeeded + failed + skipped) {
    addProblem(report, `${all} items came in, but ${succeeded} succeeded + ${failed} failed + ${skipped} skipped`);
  }
  if (manifest.errors.lines !== failed)
    addProblem(report, `${failed} items failed, but errors.jsonl has ${manifest.errors.lines} lines`);
  const { endpoint, deployment } = job;
  if (report.twice > 0) metrics.batchDuplicateOutputs.inc({ endpoint, deployment }, report.twice);
  return concluded(report);
}

async function checkFile(
  deps: VerifyDeps,
  job: JobRecord,
  file: FileDigest,
  report: JobVerification,
  signal: AbortSignal,
): Promise<void> {
  let read: Digest;
  try {
    read = await digestOf(await streamOf(deps, job, file.file), signal);
  } catch (thrown) {
    signal.throwIfAborted();
    addProblem(report, `${file.file} cannot be read: ${(thrown as Error).message}`);
    return;
  }
  report.filesRead += 1;
  report.bytesRead += read.bytes;
  if (read.bytes !== file.bytes || read.sha256 !== file.sha256) {
    addProblem(
      report,
      `${file.file} is not what was written: ${read.bytes} bytes, the manifest says ${file.bytes} with another SHA-256`,
    );
  }
}

interface Digest {
  bytes: number;
  sha256: string;
}

async function digestOf(chunks: AsyncIterable<Buffer> | Iterable<Buffer>, signal: AbortSignal): Promise<Digest> {
  const digest = createHash('sha256');
  let bytes = 0;
  for await (const chunk of chunks) {
    signal.throwIfAborted();
    digest.update(chunk);
    bytes += chunk.byteLength;
  }
  return { bytes, sha256: digest.digest('hex') };
}

async function streamOf({ store }: VerifyDeps, job: JobRecord, name: string): Promise<AsyncIterable<Buffer>> {
  const { container, path } = placeOfFile(job, name);
  const { content } = await store.get(container, path);
  return content as AsyncIterable<Buffer>;
}

async function checkListing(
  deps: VerifyDeps,
  job: JobRecord,
  manifest: Manifest,
  report: JobVerification,
  signal: AbortSignal,
): Promise<void> {
  let read: Digest;
  try {
    read = await digestOf(createReadStream(jobFiles(deps.jobsFolder, job.name).listing), signal);
  } catch (thrown) {
    signal.throwIfAborted();
    addProblem(report, `the list of input files cannot be read: ${(thrown as Error).message}`);
    return;
  }
  report.filesRead += 1;
  if (read.sha256 !== manifest.input.sha256)
    addProblem(report, 'the list of input files is not the one that the job was made with');
}

/** Every mini-batch once and in order, as its record says, and the lines of the outputs exactly those of the parts. */
async function checkParts(
  deps: VerifyDeps,
  job: JobRecord,
  manifest: Manifest,
  report: JobVerification,
  signal: AbortSignal,
): Promise<void> {
  const folder = await deps.store.localPath(job.output.container, job.output.folder);
  const predictions = manifest.predictions && new Slices(await localPathOf(deps, job, manifest.predictions.file));
  const errors = new Slices(`${folder}/errors.jsonl`);
  const sums = { items: 0, succeeded: 0, failed: 0, skipped: 0 };
  let last = -1;
  for await (const { value } of jsonLines<ManifestPart>(`${folder}/parts.jsonl`)) {
    signal.throwIfAborted();
    report.miniBatches += 1;
    if (value.index <= last) {
      report.twice += value.items;
      addProblem(report, `mini-batch ${value.index} is there more than once`);
    }
    last = Math.max(last, value.index);
    sums.items += value.items;
    sums.succeeded += value.succeeded;
    sums.failed += value.failed;
    sums.skipped += value.skipped;
    if (value.items !== value.succeeded + value.failed + value.skipped) {
      addProblem(
        report,
        `mini-batch ${value.index}: ${value.items} items are not its succeeded, failed and skipped ones`,
      );
    }
    await checkRecord(deps, job, value, report);
    if (value.part !== undefined && !(await predictions?.matches(value.part, signal))) {
      addProblem(
        report,
        `the lines of mini-batch ${value.index} in ${manifest.predictions?.file ?? 'the predictions'} are not its own`,
      );
    }
    if (value.errors !== undefined && !(await errors.matches(value.errors, signal))) {
      addProblem(report, `the lines of mini-batch ${value.index} in errors.jsonl are not its own`);
    }
  }
  if (predictions?.at !== undefined && predictions.at !== manifest.predictions?.bytes)
    addProblem(report, 'there are predictions of no mini-batch');
  if (errors.at !== manifest.errors.bytes) addProblem(report, 'there are errors of no mini-batch');
  // Mini-batches that never were on the queue have no record; their items were skipped.
  report.missing = Math.max(0, manifest.items.in - manifest.items.skipped - sums.succeeded - sums.failed);
  if (report.missing > 0) addProblem(report, `${report.missing} items are missing`);
  if (sums.succeeded !== manifest.items.succeeded || sums.failed !== manifest.items.failed) {
    addProblem(report, `the mini-batches sum to ${sums.succeeded} succeeded and ${sums.failed} failed items`);
  }
}

async function localPathOf({ store }: VerifyDeps, job: JobRecord, file: string): Promise<string> {
  const { container, path } = placeOfFile(job, file);
  const slash = path.lastIndexOf('/');
  return `${await store.localPath(container, path.slice(0, slash))}${path.slice(slash)}`;
}

async function checkRecord(
  { records }: VerifyDeps,
  job: JobRecord,
  part: ManifestPart,
  report: JobVerification,
): Promise<void> {
  if (job.filesRemovedAt !== undefined) return;
  const entry = await records.get(recordKey(job.name, part.index));
  if (entry === undefined) return addProblem(report, `mini-batch ${part.index} has no record`);
  const { succeeded, failed, part: own, errors } = entry.value;
  const same =
    succeeded === part.succeeded &&
    failed === part.failed &&
    own?.sha256 === part.part?.sha256 &&
    errors?.sha256 === part.errors?.sha256;
  if (!same) addProblem(report, `mini-batch ${part.index} is not as its record says`);
}

/** One file read piece by piece, from its beginning. */
class Slices {
  readonly #path: string;
  at = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** True when the next `bytes` of the file are what the part was. */
  async matches({ bytes, sha256 }: PartFile, signal: AbortSignal): Promise<boolean> {
    const slice = { start: this.at, end: this.at + bytes - 1 };
    this.at += bytes;
    const read = await digestOf(bytes === 0 ? [] : createReadStream(this.#path, slice), signal);
    return read.bytes === bytes && read.sha256 === sha256;
  }
}
