import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { jobFiles, jsonLines, outputsOfPart, recordKey, type MiniBatchRecords } from '@mooring/batch-jobs';
import type { JobRecord, PartFile } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { ByteSource } from '@mooring/storage';
import type { FileDigest } from '../output/manifest.ts';
import { PartDamaged } from '../output/part-damaged.ts';

/** A line of a command's part; run_command.py writes them. */
interface CommandFile {
  /** Below the folder of all its outputs, and so with the output's name first. */
  file: string;
  bytes: number;
  sha256: string;
}

/** The manifest names each. */
const filesMax = 200_000;

/**
 * Puts what the command wrote whose run was recorded: exactly the files that its part names, each as it was when it was committed. Rejects
 * with PartDamaged where one is not.
 */
export async function putCommandFiles(
  deps: { records: MiniBatchRecords; jobsFolder: string },
  job: JobRecord,
  put: (name: string, source: ByteSource) => Promise<FileDigest>,
  signal: AbortSignal,
): Promise<FileDigest[]> {
  const part = (await deps.records.get(recordKey(job.name, 0)))?.value.part;
  if (part === undefined) return [];
  const files = jobFiles(deps.jobsFolder, job.name);
  const folder = outputsOfPart(files, part);
  const written: FileDigest[] = [];
  for await (const { value } of jsonLines<CommandFile>(join(files.parts, part.file))) {
    signal.throwIfAborted();
    if (written.length === filesMax) {
      const message = `the command wrote more than ${filesMax} files: write fewer, larger ones, or an archive`;
      throw new PlatformError('failed_precondition', 'TOO_MANY_FILES', message);
    }
    const file = await opened(join(folder, value.file), part);
    let digest: FileDigest;
    try {
      digest = await put(value.file, file.createReadStream({ autoClose: false }));
    } finally {
      await file.close();
    }
    if (digest.bytes !== value.bytes || digest.sha256 !== value.sha256) throw new PartDamaged(0, part);
    written.push(digest);
  }
  return written;
}

async function opened(path: string, part: PartFile): Promise<FileHandle> {
  try {
    return await open(path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') throw new PartDamaged(0, part);
    throw thrown;
  }
}
