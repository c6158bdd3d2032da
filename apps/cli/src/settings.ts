import { readFileSync } from 'node:fs';
import { dataFolder, defaultDataFolder, readConfig, type DataFolder, type Environment } from '@mooring/config';
import { PlatformError } from '@mooring/errors';
import { z } from 'zod';
import { isWebAddress, webAddress } from './shared/web-address.ts';
import { isRunning, readSupervisorRecord } from './shared/supervisor-record.ts';

const schema = z.object({
  data: z.string().default(defaultDataFolder),
  url: z
    .string()
    .refine(isWebAddress, { error: ({ input }) => `'${String(input)}' is not ${webAddress}` })
    .optional(),
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
  const own = record !== undefined && isRunning(record) ? record.management : '';
  const url = settings.url ?? own;
  if (url === '') {
    throw new PlatformError('unavailable', 'PLATFORM_NOT_RUNNING', `no platform runs on ${settings.folder.root}`);
  }
  return { url, token: settings.token ?? adminToken(settings.folder, url, own) };
}

/** The admin credential of a data folder goes to the platform that runs on it and to nobody else. */
function adminToken(folder: DataFolder, url: string, own: string): string {
  if (own === '' || URL.parse(url)?.origin !== URL.parse(own)?.origin) {
    const runs = own === '' ? 'no platform runs on it' : `its platform is at ${own}`;
    const message = `the credential of ${folder.root} is not sent to ${url}, for ${runs}: set MOORING_TOKEN to a credential of ${url}`;
    throw new PlatformError('unauthenticated', 'NO_CREDENTIAL', message);
  }
  try {
    return readFileSync(folder.adminTokenFile, 'utf8').trim();
  } catch (thrown) {
    const message = `the admin credential ${folder.adminTokenFile} cannot be read: set MOORING_TOKEN, or MOORING_DATA to the platform's data folder`;
    throw new PlatformError('unauthenticated', 'NO_CREDENTIAL', message, { cause: thrown });
  }
}
