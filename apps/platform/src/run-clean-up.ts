import { dataFolder, defaultDataFolder, type Environment } from '@mooring/config';
import { cleanUp } from '@mooring/supervisor';
import type { PlatformFlags } from './flags.ts';

/** Ends what a killed supervisor left behind on the data folder; one line on stdout for each process that it ended. */
export async function runCleanUp(flags: PlatformFlags, environment: Environment): Promise<number> {
  try {
    const ended = await cleanUp(dataFolder(flags.data ?? environment['MOORING_DATA'] ?? defaultDataFolder));
    for (const { name, pid } of ended) process.stdout.write(`ended ${name} (process ${pid})\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}
