import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { InputFile } from '@mooring/domain';
import { FileProblem } from './file-problem.ts';

/** The listing holds whole milliseconds, however they were rounded. */
const clockStepMs = 1;

/** Opens a file for reading if it still is what was listed, else rejects with FileProblem or what the system says. */
export async function openListed(file: InputFile): Promise<FileHandle> {
  if (file.problem !== undefined) throw new FileProblem('FileUnreadable', file.problem.message);
  // Not blocking: a named pipe in its place would be waited for.
  const handle = await open(file.localPath, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    await checkListed(file, handle);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Rejects with FileProblem where the open file is not what was listed, or not any more. */
export async function checkListed(file: InputFile, handle: FileHandle): Promise<void> {
  const found = await handle.stat();
  if (!found.isFile()) throw new FileProblem('FileUnreadable', 'is no plain file');
  if (found.size !== file.bytes) {
    throw new FileProblem('FileChanged', `has ${found.size} bytes and had ${file.bytes} when it was listed`);
  }
  if (Math.abs(Math.floor(found.mtimeMs) - file.modifiedMs) > clockStepMs)
    throw new FileProblem('FileChanged', 'was written since it was listed');
}
