import { readFileSync } from 'node:fs';
import { dataFolder, defaultDataFolder, readConfig, type DataFolder, type Environment } from '@mooring/config';
import { PlatformError } from '@mooring/errors';
import { z } from 'zod';
import { readSupervisorRecord } from './shared/supervisor-record.ts';

const schema = z.object({
  data: z.string().default(defaultDataFolder),
  url: z.string().optional(),
  token: z.string().optional(),
});

export interface Settings {
  folder: DataFolder;
  url: string | undefined;
  token: string | undefined;
}

/** Flags win over MOORING_DATA, MOORING_URL and MOORING_TOKEN. */
export function readSettings(
  flags: { data: string | undefined; url: string | undefined },
  environment?: Environment,
): Settings {
  const { data, url, token } = readConfig('', schema, environment, flags);
  return { folder: dataFolder(data), url, token };
}

/**
 * Where the management REST is and with what credential: as set, else of the platform that runs on the data folder.
 * Throws PlatformError PLATFORM_NOT_RUNNING or NO_CREDENTIAL.
 */
export function managementAccess(settings: Settings): { url: string; token: string } {
  const record = readSupervisorRecord(settings.folder);
  const url = settings.url ?? record?.management;
  if (url === undefined || url === '') {
    throw new PlatformError('unavailable', 'PLATFORM_NOT_RUNNING', `no platform runs on ${settings.folder.root}`);
  }
  return { url, token: settings.token ?? adminToken(settings.folder, url, record?.management) };
}

function adminToken(folder: DataFolder, url: string, ownUrl: string | undefined): string {
  // The admin credential of this machine's platform is nothing to send to another machine's.
  if (url !== ownUrl && !isLoopback(url)) {
    throw new PlatformError('unauthenticated', 'NO_CREDENTIAL', `there is no credential for ${url}: set MOORING_TOKEN`);
  }
  try {
    return readFileSync(folder.adminTokenFile, 'utf8').trim();
  } catch (thrown) {
    const message = `the admin credential ${folder.adminTokenFile} cannot be read: set MOORING_TOKEN, or MOORING_DATA to the platform's data folder`;
    throw new PlatformError('unauthenticated', 'NO_CREDENTIAL', message, { cause: thrown });
  }
}

function isLoopback(url: string): boolean {
  const host = URL.canParse(url) ? new URL(url).hostname : '';
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
