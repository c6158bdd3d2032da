import { join } from 'node:path';
import { z } from 'zod';
import { dataFolder, defaultDataFolder, readConfig, type Environment } from '@mooring/config';

/** What every process shares: MOORING_DATA, MOORING_MASTER_KEY, MOORING_MASTER_KEY_FILE. */
const sharedConfig = z.object({
  data: z.string().default(defaultDataFolder),
  masterKey: z.string().optional(),
  masterKeyFile: z.string().optional(),
});

/** Settings of the auth service: MOORING_AUTH_<KEY>. */
const ownConfig = z.object({
  /** `unix:/path` or `host:port`; a socket in the run folder by default. */
  address: z.string().optional(),
});

export interface AuthConfig {
  address: string;
  adminTokenFile: string;
  masterKey: string | undefined;
  masterKeyFile: string | undefined;
  /** Where the master key is made at the first start when the operator gives none. */
  ownMasterKeyFile: string;
}

export function readAuthConfig(environment: Environment): AuthConfig {
  const shared = readConfig('', sharedConfig, environment);
  const own = readConfig('AUTH', ownConfig, environment);
  const folder = dataFolder(shared.data);
  return {
    address: own.address ?? `unix:${join(folder.run, 'auth.sock')}`,
    adminTokenFile: folder.adminTokenFile,
    masterKey: shared.masterKey,
    masterKeyFile: shared.masterKeyFile,
    ownMasterKeyFile: join(folder.secrets, 'master.key'),
  };
}
