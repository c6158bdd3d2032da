import { join } from 'node:path';
import { z } from 'zod';
import { dataFolder, defaultDataFolder, type DataFolder } from './data-folder.ts';
import { readConfig, type Environment } from './read-config.ts';

const dataConfig = z.object({ data: z.string().default(defaultDataFolder) });
const addressConfig = z.object({ address: z.string().optional() });
const listenConfig = z.object({ listenFd: z.coerce.number().int().min(3).optional() });

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
const logConfig = z.object({
  logLevel: z
    .enum(logLevels, {
      error: ({ input }) => `there is no level '${String(input)}'; there are: ${logLevels.join(', ')}`,
    })
    .default('info'),
});

/** MOORING_LOG_LEVEL; an empty one is none. */
export function readLogLevel(environment: Environment): (typeof logLevels)[number] {
  return readConfig('', logConfig, environment).logLevel;
}

/** The platform's data folder: MOORING_DATA, else `~/.mooring`. */
export function readDataFolder(environment: Environment): DataFolder {
  return dataFolder(readConfig('', dataConfig, environment).data);
}

/**
 * Where a service listens, and where its neighbours find it: MOORING_<SERVICE>_ADDRESS, `unix:/path` or `host:port`, else
 * its socket in the run folder.
 */
export function serviceAddress(service: string, environment: Environment): string {
  const prefix = service.toUpperCase().replaceAll('-', '_');
  const { address } = readConfig(prefix, addressConfig, environment);
  return address ?? `unix:${join(readDataFolder(environment).run, `${service}.sock`)}`;
}

/**
 * The listening socket that a supervisor has opened for a service, MOORING_<SERVICE>_LISTEN_FD. It outlives the processes
 * that serve on it, so that whoever connects while one replaces another is not refused. Undefined: the service opens its
 * own.
 */
export function inheritedListener(service: string, environment: Environment): number | undefined {
  return readConfig(service.toUpperCase().replaceAll('-', '_'), listenConfig, environment).listenFd;
}
