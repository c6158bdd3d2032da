import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DataFolder } from '@mooring/config';
import { endProcess, identify, isAlive, type ProcessIdentity } from '@mooring/runtime';

/** `supervisor.json`: how tools find the running platform, and how the next start finds what a crash left behind. */
export interface SupervisorRecord extends ProcessIdentity {
  http: string;
  grpc: string;
  management: string;
  children: readonly (ProcessIdentity & { name: string })[];
}

/** Makes the data folder and its parts, for the owner only. The folder in which it lies must be there. */
export function makeDataFolder(folder: DataFolder): void {
  const parts = [folder.root, folder.secrets, folder.logs, folder.instances, folder.artifacts, folder.run];
  for (const part of parts) makeFolder(part);
  chmodSync(folder.root, 0o700);
  // The run folder may lie in the shared temp folder: somebody else could have made it before us.
  const run = lstatSync(folder.run);
  if (!run.isDirectory() || run.uid !== process.getuid?.()) {
    throw new Error(`${folder.run} is not a folder of this user; remove it`);
  }
  chmodSync(folder.run, 0o700);
}

/** Not recursive: below /proc, where mkdir says ENOENT of a folder that nobody may make, Node would try for ever. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
    throw new Error(`the folder ${path} of the data folder cannot be made (${code})`, { cause: error });
  }
}

/** The account of the own nats-server, made at the first start. */
export function natsAccount(folder: DataFolder): { user: string; password: string } {
  const file = join(folder.secrets, 'nats.json');
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as { user: string; password: string };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw new Error(`${file} cannot be read`, { cause: error });
  }
  const account = { user: 'mooring', password: randomBytes(24).toString('base64url') };
  writeFileSync(file, JSON.stringify(account), { mode: 0o600 });
  return account;
}

export function readRecord(folder: DataFolder): SupervisorRecord | undefined {
  try {
    return JSON.parse(readFileSync(folder.supervisorFile, 'utf8')) as SupervisorRecord;
  } catch {
    return undefined;
  }
}

export function writeRecord(folder: DataFolder, record: SupervisorRecord): void {
  const next = `${folder.supervisorFile}.new`;
  writeFileSync(next, JSON.stringify(record, undefined, 2), { mode: 0o600 });
  renameSync(next, folder.supervisorFile);
}

/** The first record of this process; fails when another supervisor was a moment faster. */
export function claim(folder: DataFolder): void {
  const self = identify(process.pid) ?? { pid: process.pid, startTicks: 0 };
  const record: SupervisorRecord = { ...self, http: '', grpc: '', management: '', children: [] };
  try {
    writeFileSync(folder.supervisorFile, JSON.stringify(record), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw new Error(`another platform is just starting on ${folder.root}`, { cause: error });
  }
}

export function removeRecord(folder: DataFolder): void {
  rmSync(folder.supervisorFile, { force: true });
}

/** Fails when a platform runs on this data folder already; ends what a supervisor that was killed left behind. */
export async function takeOver(folder: DataFolder): Promise<void> {
  const record = readRecord(folder);
  if (record === undefined) return;
  if (isAlive(record)) {
    throw new Error(
      `a platform already runs on ${folder.root} (process ${record.pid}, ${record.management}); ` +
        'stop it with: tools/mooring down',
    );
  }
  await Promise.all(record.children.map((child) => endProcess(child, 5_000)));
  removeRecord(folder);
}
