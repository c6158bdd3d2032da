import { join } from 'node:path';
import { z } from 'zod';
import { inheritedListener, readConfig, readDataFolder, serviceAddress, type Environment } from '@mooring/config';

/** MOORING_MASTER_KEY, MOORING_MASTER_KEY_FILE. */
const masterKeyConfig = z.object({
  masterKey: z.string().optional(),
  masterKeyFile: z.string().optional(),
});

export interface AuthConfig {
  address: string;
  listenFd?: number | undefined;
  adminTokenFile: string;
  masterKey: string | undefined;
  masterKeyFile: string | undefined;
  /** Where the master key is made at the first start when the operator gives none. */
  ownMasterKeyFile: string;
}

/** Settings: MOORING_DATA, MOORING_AUTH_ADDRESS and those of the master key. */
export function readAuthConfig(environment: Environment): AuthConfig {
  const { masterKey, masterKeyFile } = readConfig('', masterKeyConfig, environment);
  const folder = readDataFolder(environment);
  return {
    address: serviceAddress('auth', environment),
    listenFd: inheritedListener('auth', environment),
    adminTokenFile: folder.adminTokenFile,
    masterKey,
    masterKeyFile,
    ownMasterKeyFile: join(folder.secrets, 'master.key'),
  };
}
