import { availableParallelism } from 'node:os';
import { defaultDataFolder, readLogLevel, type Environment } from '@mooring/config';
import { stderrLog } from '@mooring/runtime';
import { defaultEdges, supervise, topologyNames, type TopologyName } from '@mooring/supervisor';
import type { PlatformFlags } from './flags.ts';

/**
 * Runs a whole platform until SIGTERM or SIGINT. Prints one line `ready http=... grpc=... management=...` on stdout once
 * it serves; everything else goes to stderr. Resolves with the exit status.
 */
export async function runSupervisor(flags: PlatformFlags, environment: Environment): Promise<number> {
  let level: string;
  try {
    level = readLogLevel(environment);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
  const log = stderrLog({ level, name: 'supervisor' });
  const topology = flags.topology ?? 'default';
  if (!topologyNames.includes(topology as TopologyName)) {
    process.stderr.write(`there is no topology '${topology}'; there are: ${topologyNames.join(', ')}\n`);
    return 2;
  }
  const asked = Promise.withResolvers<string>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => asked.resolve(signal));
  try {
    const platform = await supervise({
      data: flags.data ?? environment['MOORING_DATA'] ?? defaultDataFolder,
      http: flags.http ?? '127.0.0.1:8080',
      grpc: flags.grpc ?? '127.0.0.1:8081',
      management: flags.management ?? '127.0.0.1:8082',
      topology: topology as TopologyName,
      edges: edgesOf(flags.edge, topology),
      ...(flags.nats === undefined ? {} : { natsUrl: flags.nats }),
      // An empty setting is none; the processes take the level as it stands.
      environment: { ...environment, MOORING_LOG_LEVEL: level },
      log,
    });
    const { http, grpc, management } = platform.addresses;
    process.stdout.write(`ready http=${http} grpc=${grpc} management=${management}\n`);
    log.info({ signal: await asked.promise }, 'stopping');
    await platform.stop();
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

/** As asked; by default as many as suit the machine, where the topology allows several. */
function edgesOf(asked: string | undefined, topology: string): number {
  if (asked !== undefined) return Number(asked);
  return topology === 'default' ? defaultEdges(availableParallelism()) : 1;
}
