import { createHash } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { kvKey, type MiniBatch, type MiniBatchMessage, type PartFile } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';

/** Where the files of one job lie: `<data>/jobs/<job>/`. */
export interface JobFiles {
  root: string;
  /** What was fetched from the web for its input. */
  fetched: string;
  /** A line for each file of the input, in its order. */
  listing: string;
  /** A line for each mini-batch. */
  miniBatches: string;
  /** What runs wrote: `<index>.<uuid>.part`, `<index>.<uuid>.errors`, and of commands the folders `<index>.<uuid>.outputs`. */
  parts: string;
  logs: string;
  /** AZUREML_BI_OUTPUT_PATH while it runs. */
  scriptOutput: string;
}

/** The lane of a job on the work queue, and the beginning of its keys in the buckets. */
export function jobKey(job: string): string {
  return kvKey(job);
}

export function jobFiles(jobsFolder: string, job: string): JobFiles {
  const root = join(jobsFolder, jobKey(job));
  return {
    root,
    fetched: join(root, 'fetched'),
    listing: join(root, 'listing.jsonl'),
    miniBatches: join(root, 'mini-batches.jsonl'),
    parts: join(root, 'parts'),
    logs: join(root, 'logs'),
    scriptOutput: join(root, 'output'),
  };
}

/** The folder of what a command wrote, beside the part that names its files. */
export function outputsOfPart({ parts }: Pick<JobFiles, 'parts'>, { file }: Pick<PartFile, 'file'>): string {
  return join(parts, file.replace(/\.part$/, '.outputs'));
}

export async function makeJobFolders(files: JobFiles): Promise<void> {
  for (const folder of [files.root, files.parts, files.logs, files.scriptOutput]) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  }
}

/** Lines written to a file that appears whole, or not at all; with its digest. */
export interface WrittenLines {
  lines: number;
  bytes: number;
  sha256: string;
}

const flushBytes = 256 * 1024;

/** Writes `values` as JSON lines, synced, then put in place. Memory does not grow with their number. */
export async function writeJsonLines(path: string, values: AsyncIterable<unknown>): Promise<WrittenLines> {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, 'w', 0o600);
  const sha256 = createHash('sha256');
  let [lines, bytes, waiting, waitingBytes] = [0, 0, [] as string[], 0];
  const flush = async (): Promise<void> => {
    const chunk = Buffer.from(waiting.join(''));
    [waiting, waitingBytes] = [[], 0];
    sha256.update(chunk);
    bytes += chunk.byteLength;
    await file.writeFile(chunk);
  };
  try {
    for await (const value of values) {
      const line = `${JSON.stringify(value)}\n`;
      lines += 1;
      waitingBytes += line.length;
      waiting.push(line);
      if (waitingBytes >= flushBytes) await flush();
    }
    await flush();
    await file.sync();
  } catch (thrown) {
    await file.close();
    await rm(temporary, { force: true });
    throw thrown;
  }
  await file.close();
  await rename(temporary, path);
  return { lines, bytes, sha256: sha256.digest('hex') };
}

/** A line longer than this is none that we wrote. */
const lineBytesMax = 256 * 2 ** 20;

/** The mini-batch that a message names. */
export async function readMiniBatch(
  files: JobFiles,
  { start, length, ...named }: MiniBatchMessage,
): Promise<MiniBatch> {
  if (length > lineBytesMax) throw unreadable(files, `a line of ${length} bytes`);
  const file = await open(files.miniBatches, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, start);
    const batch = JSON.parse(buffer.toString('utf8', 0, bytesRead)) as MiniBatch;
    if (batch.index !== named.index)
      throw unreadable(files, `mini-batch ${batch.index} where ${named.index} should be`);
    return { ...batch, attempt: named.attempt };
  } finally {
    await file.close();
  }
}

/** The lines of a JSON lines file, with where each stands. */
export async function* jsonLines<T>(path: string): AsyncGenerator<{ value: T; start: number; length: number }> {
  const file = await open(path, 'r');
  try {
    let [rest, start]: [Buffer, number] = [Buffer.alloc(0), 0];
    for await (const chunk of file.createReadStream({ autoClose: false })) {
      const bytes: Buffer = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
      let begin = 0;
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, begin)) {
        const length = end - begin;
        yield { value: JSON.parse(bytes.toString('utf8', begin, end)) as T, start: start + begin, length };
        begin = end + 1;
      }
      rest = bytes.subarray(begin);
      start += begin;
    }
  } finally {
    await file.close();
  }
}

function unreadable(files: JobFiles, what: string): PlatformError {
  return new PlatformError(
    'internal',
    'JOB_FILES_DAMAGED',
    `${files.miniBatches} holds ${what}; it was changed or damaged`,
  );
}
