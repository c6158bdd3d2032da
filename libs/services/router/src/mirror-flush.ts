import type { Logger } from 'pino';
import type { Directory } from './domain/directory.ts';
import type { MirrorTally } from './domain/mirror-tally.ts';
import type { MirrorReports } from './ports.ts';

export interface FlushDeps {
  tallies: Map<string, MirrorTally>;
  directory: Directory;
  reports: MirrorReports;
  routerId: string;
  log: Logger;
}

/**
 * Writes the tallies that changed since they were written last, and removes those of deployments that are gone. What
 * could not be written is tried again next time. `written` holds the versions that the store has.
 */
export async function flushMirrorReports(deps: FlushDeps, written: Map<string, number>): Promise<void> {
  const { tallies, directory, reports, routerId, log } = deps;
  for (const [key, tally] of tallies) {
    const { version } = tally;
    try {
      if (directory.endpoint(tally.endpoint)?.deployments.has(tally.deployment) !== true) {
        await reports.remove(tally.endpoint, tally.deployment);
        tallies.delete(key);
        written.delete(key);
      } else if (written.get(key) !== version) {
        await reports.put(tally.report(routerId, new Date()));
        written.set(key, version);
      }
    } catch (error) {
      log.debug({ err: error, report: key }, 'mirror report not written; trying again');
      return;
    }
  }
}
