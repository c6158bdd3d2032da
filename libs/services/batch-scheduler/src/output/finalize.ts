import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, constants, lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  jobFiles,
  jsonLines,
  recordKey,
  writeJsonLines,
  type JobFiles,
  type MiniBatchRecords,
} from '@mooring/batch-jobs';
import { ownOutputFiles, type JobRecord, type JobUsage, type MiniBatchRecord, type PartFile } from '@mooring/domain';
import { isArtifactPath, type ArtifactStore, type ByteSource } from '@mooring/storage';
import { addUsage, usageOfRecord } from '../domain/job-usage.ts';
import { listFiles } from '../input/list-files.ts';
import { putCommandFiles } from '../pipeline/command-files.ts';
import { placeOfFile } from '../pipeline/place-of-file.ts';
import { PartDamaged } from './part-damaged.ts';
import { withFirstError } from './with-first-error.ts';
import { jsonBytes, manifestHead, type FileDigest, type Manifest, type ManifestPart } from './manifest.ts';

export interface FinalizeDeps {
  records: MiniBatchRecords;
  store: ArtifactStore;
  jobsFolder: string;
  clock: () => Date;
}

/** Records that are asked for at once. */
const readAhead = 64;
const outputBytesMax = 2 ** 50;
/** Files of scripts: the manifest names each. */
const scriptFilesMax = 50_000;
/** Of those that are left out, so many are named. */
const leftOutMax = 100;

/** Items of the whole input; they sum to all that was listed. */
export interface Counts {
  succeeded: number;
  failed: number;
  skipped: number;
  miniBatchesDone: number;
  /** Of all attempts. */
  usage: JobUsage;
}

/** What a job has come to. */
export interface Finalized {
  counts: Counts;
  error: JobRecord['error'];
}

/**
 * Writes what the job gave, in the order of its input: predictions, errors, parts, summary, and at last the manifest. Each file appears
 * whole. Repeating it gives the same files. Every part is read to its end and compared with its record's digest on the way.
 */
export async function finalize(deps: FinalizeDeps, job: JobRecord, signal: AbortSignal): Promise<Finalized> {
  const files = jobFiles(deps.jobsFolder, job.name);
  const partsList = join(files.root, 'parts.jsonl');
  const counts: Counts = {
    succeeded: 0,
    failed: 0,
    skipped: job.listing?.items ?? 0,
    miniBatchesDone: 0,
    usage: job.usedBefore ?? { instanceS: 0, items: 0, bytes: 0 },
  };
  await writeJsonLines(partsList, partsOf(deps, job, counts, signal));
  const output = new Output(deps.store, job);
  const predictions =
    job.settings.outputAction === 'append_row'
      ? await output.put(job.settings.outputFileName, contents(files, partsList, 'part', signal))
      : undefined;
  const errors = await output.put('errors.jsonl', contents(files, partsList, 'errors', signal));
  const error = await withFirstError(deps.store, job);
  const parts = await output.put('parts.jsonl', createReadStream(partsList));
  const leftOut: LeftOut[] = [];
  const scriptFiles =
    job.step?.command === undefined
      ? await output.putFolder(files, leftOut, signal)
      : await putCommandFiles(deps, job, (name, source) => output.put(name, source), signal);
  await output.putJson('summary.json', { ...summaryOf(job, { counts, error }), scriptFilesLeftOut: leftOut });
  const manifest: Manifest = {
    ...manifestHead(job, deps.clock()),
    model: { key: job.model, sha256: job.ran?.modelSha256 },
    code: job.code && { key: job.code.codeKey, sha256: job.ran?.codeSha256 },
    environment: job.environment === undefined ? undefined : { key: job.environment, digest: job.ran?.environment },
    input: { uri: job.input.uri, ...job.listing },
    items: { in: job.listing?.items ?? 0, succeeded: counts.succeeded, failed: counts.failed, skipped: counts.skipped },
    predictions,
    errors,
    parts,
    scriptFiles,
  };
  await output.putJson('manifest.json', manifest);
  return { counts, error };
}

/** The parts that count, in order; sums up `counts` on the way. */
async function* partsOf(
  deps: FinalizeDeps,
  job: JobRecord,
  counts: Counts,
  signal: AbortSignal,
): AsyncGenerator<ManifestPart> {
  const all = job.listing?.miniBatches ?? 0;
  for (let from = 0; from < all; from += readAhead) {
    signal.throwIfAborted();
    const indexes = Array.from({ length: Math.min(readAhead, all - from) }, (_, offset) => from + offset);
    const read = await Promise.all(indexes.map((index) => deps.records.get(recordKey(job.name, index))));
    for (const entry of read) {
      if (entry === undefined) continue;
      const record: MiniBatchRecord = entry.value;
      counts.succeeded += record.succeeded;
      counts.failed += record.failed;
      counts.skipped -= record.succeeded + record.failed;
      counts.usage = addUsage(usageOfRecord(record, job.attempt), counts.usage);
      if (record.skipped === 0) counts.miniBatchesDone += 1;
      yield partOf(record);
    }
  }
}

function partOf({ index, attempt, items, succeeded, failed, skipped, part, errors }: MiniBatchRecord): ManifestPart {
  return { index, attempt, items, succeeded, failed, skipped, ...(part && { part }), ...(errors && { errors }) };
}

/** The contents of all parts, one behind the other. Rejects where one is not what its record says. */
async function* contents(
  files: JobFiles,
  partsList: string,
  which: 'part' | 'errors',
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for await (const { value } of jsonLines<ManifestPart>(partsList)) {
    signal.throwIfAborted();
    const part = value[which];
    if (part !== undefined) yield* contentOf(files, value.index, part);
  }
}

async function* contentOf(files: JobFiles, index: number, part: PartFile): AsyncGenerator<Uint8Array> {
  const digest = createHash('sha256');
  let bytes = 0;
  const stream = createReadStream(join(files.parts, part.file)) as AsyncIterable<Buffer>;
  try {
    for await (const chunk of stream) {
      digest.update(chunk);
      bytes += chunk.byteLength;
      yield chunk;
    }
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') throw new PartDamaged(index, part);
    throw thrown;
  }
  if (bytes !== part.bytes || digest.digest('hex') !== part.sha256) throw new PartDamaged(index, part);
}

function summaryOf(job: JobRecord, { counts, error }: Finalized): object {
  return {
    job: job.name,
    status: job.ending,
    ...(error === undefined ? {} : { error }),
    items: job.listing?.items ?? 0,
    itemKind: job.listing?.itemKind,
    succeeded: counts.succeeded,
    failed: counts.failed,
    skipped: counts.skipped,
    files: job.listing?.files ?? 0,
    miniBatches: job.listing?.miniBatches ?? 0,
    startedAt: job.startedAt,
    usage: counts.usage,
  };
}

/** The job's folder in the artifact store. */
class Output {
  readonly #store: ArtifactStore;
  readonly #job: JobRecord;
  readonly #taken: ReadonlySet<string>;

  constructor(store: ArtifactStore, job: JobRecord) {
    this.#store = store;
    this.#job = job;
    this.#taken = new Set([...ownOutputFiles, job.settings.outputFileName]);
  }

  async put(name: string, source: ByteSource): Promise<FileDigest> {
    const sha256 = createHash('sha256');
    let [bytes, lines] = [0, 0];
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of source) {
        sha256.update(chunk);
        bytes += chunk.byteLength;
        for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines += 1;
        yield chunk;
      }
    };
    const { container, path } = placeOfFile(this.#job, name);
    await this.#store.put(container, path, counted(), { maxBytes: outputBytesMax });
    return { file: name, bytes, lines, sha256: sha256.digest('hex') };
  }

  async putJson(name: string, value: object): Promise<void> {
    await this.put(name, Readable.from([jsonBytes(value)]));
  }

  /** What scripts wrote themselves, beside the files of ours. A file that cannot be stored as it is called is left out, and the job ends. */
  async putFolder(files: JobFiles, leftOut: LeftOut[], signal: AbortSignal): Promise<FileDigest[]> {
    const written: FileDigest[] = [];
    const { root: scratch, scriptOutput: root } = files;
    const top = await lstat(root).catch(() => undefined);
    if (top?.isDirectory() !== true) {
      if (top !== undefined)
        leftOut.push({ file: '.', why: 'is a link or a file, and was a folder when the script began' });
      return written;
    }
    for await (const { path, localPath, problem } of listFiles({ root }, { scratch, signal })) {
      const why = problem?.message ?? (await this.#whyNot(path, localPath, written.length));
      if (why === undefined) written.push(await this.put(path, createReadStream(localPath)));
      else if (leftOut.length < leftOutMax) leftOut.push({ file: path, why });
    }
    return written;
  }

  async #whyNot(path: string, localPath: string, stored: number): Promise<string | undefined> {
    if (stored === scriptFilesMax) return `is more than ${scriptFilesMax} files`;
    const above = path.split('/').map((_name, at, names) => names.slice(0, at + 1).join('/'));
    if (above.some((name) => this.#taken.has(name))) return 'is called as a file that every output has';
    if (!isArtifactPath(placeOfFile(this.#job, path).path)) return 'has a name that the artifact store cannot hold';
    const refused = await access(localPath, constants.R_OK).catch((thrown: unknown) => thrown);
    return refused === undefined ? undefined : 'cannot be read';
  }
}

/** A file that a script wrote and that is not in the output. */
interface LeftOut {
  file: string;
  why: string;
}
