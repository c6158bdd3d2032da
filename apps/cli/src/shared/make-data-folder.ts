import { access, constants, mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DataFolder } from '@mooring/config';
import { PlatformError } from '@mooring/errors';

/**
 * Makes the data folder and its folder of logs, for the owner only. Throws PlatformError BAD_DATA_FOLDER where that is
 * not possible.
 */
export async function makeDataFolder({ root, logs }: DataFolder): Promise<void> {
  for (const part of [...(await missingParts(root)), logs]) await makeOne(root, part);
  await access(root, constants.W_OK | constants.X_OK).catch((cause: unknown) => {
    throw refused(root, `${root} may not be written by this user`, cause);
  });
}

/**
 * The folders from the root of what is missing down to `root`. One by one, because a recursive mkdir never ends in a file
 * system that lets nobody make a folder and says that it knows none of that name, such as /proc.
 */
async function missingParts(root: string): Promise<string[]> {
  const missing: string[] = [];
  for (let at = root; ; at = dirname(at)) {
    const found = await stat(at).catch(() => undefined);
    if (found?.isDirectory()) return missing;
    if (found !== undefined || at === dirname(at)) throw refused(root, `${at} is not a folder`);
    missing.unshift(at);
  }
}

async function makeOne(root: string, part: string): Promise<void> {
  try {
    await mkdir(part, { mode: 0o700 });
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    const isFolder = code === 'EEXIST' && (await stat(part).catch(() => undefined))?.isDirectory();
    if (!isFolder) throw refused(root, `the folder ${part} cannot be made there (${code})`, thrown);
  }
}

function refused(root: string, why: string, cause?: unknown): PlatformError {
  const message = `${root} cannot be a data folder: ${why}; name another with --data or MOORING_DATA`;
  return new PlatformError('invalid_argument', 'BAD_DATA_FOLDER', message, { cause });
}
