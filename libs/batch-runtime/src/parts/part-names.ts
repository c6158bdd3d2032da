import { randomUUID } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Files of one run of one mini-batch, which no other run has: `<index>.<uuid>.part`, `.errors`, and the folder `.outputs` of a command. */
export interface PartNames {
  part: string;
  errors: string;
  outputs: string;
}

export function newPartNames(index: number): PartNames {
  const run = `${index}.${randomUUID()}`;
  return { part: `${run}.part`, errors: `${run}.errors`, outputs: `${run}.outputs` };
}

/** What a run left that does not count. */
export async function removeParts(folder: string, names: PartNames): Promise<void> {
  await Promise.all(Object.values(names).map((name) => rm(join(folder, name), { force: true, recursive: true })));
}

/** Makes the names of new files last: a file on disk is lost with its name. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
