import { join } from 'node:path';
import { z } from 'zod';
import { dataFolder, defaultDataFolder, readConfig, type Environment } from '@mooring/config';

/** What every process shares: MOORING_DATA. */
const sharedConfig = z.object({ data: z.string().default(defaultDataFolder) });

/** MOORING_REGISTRY_ADDRESS and MOORING_AUTH_ADDRESS: `unix:/path` or `host:port`; sockets in the run folder by default. */
const addressConfig = z.object({ address: z.string().optional() });

export interface RegistryConfig {
  address: string;
  authAddress: string;
}

export function readRegistryConfig(environment: Environment): RegistryConfig {
  const { run } = dataFolder(readConfig('', sharedConfig, environment).data);
  const addressOf = (service: 'registry' | 'auth'): string =>
    readConfig(service.toUpperCase(), addressConfig, environment).address ?? `unix:${join(run, `${service}.sock`)}`;
  return { address: addressOf('registry'), authAddress: addressOf('auth') };
}
