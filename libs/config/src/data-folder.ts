import { createHash } from 'node:crypto';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where things lie in a data folder. Pure: nothing is made or read. */
export interface DataFolder {
  root: string;
  nats: string;
  secrets: string;
  adminTokenFile: string;
  artifacts: string;
  environments: string;
  instances: string;
  /** What batch jobs work with, by job. */
  jobs: string;
  logs: string;
  /** Sockets and `supervisor.json`; in the temp folder when the data folder's own path is too long for a socket. */
  run: string;
  /** `{pid, startTicks, urls}` of the running platform. */
  supervisorFile: string;
}

/** Bytes of a socket path that every supported system takes (macOS: 104 with its end mark). */
const socketPathBytesMax = 103;
/** The longest name under the run folder: `i/<uuid>.sock`, with room for a prefix of the instance's name. */
const longestSocketName = join('i', `${'x'.repeat(44)}.sock`);

export const defaultDataFolder = join(homedir(), '.mooring');

export function dataFolder(directory: string): DataFolder {
  const root = resolve(directory);
  const ownRun = join(root, 'run');
  const fits = Buffer.byteLength(join(ownRun, longestSocketName)) <= socketPathBytesMax;
  const run = fits ? ownRun : join(tmpdir(), `mooring-${createHash('sha256').update(root).digest('hex').slice(0, 16)}`);
  return {
    root,
    nats: join(root, 'nats'),
    secrets: join(root, 'secrets'),
    adminTokenFile: join(root, 'secrets', 'admin.token'),
    artifacts: join(root, 'artifacts'),
    environments: join(root, 'environments'),
    instances: join(root, 'instances'),
    jobs: join(root, 'jobs'),
    logs: join(root, 'logs'),
    run,
    supervisorFile: join(run, 'supervisor.json'),
  };
}
