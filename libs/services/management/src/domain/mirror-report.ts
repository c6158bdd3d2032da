import type { MirrorReportRecord } from '@mooring/domain';

/** What all routers together saw of one mirrored deployment. */
export type MirrorReport = Omit<MirrorReportRecord, 'routerId'> & { routers: number };

const differencesMax = 50;

/** One report per deployment, in the order of their names. */
export function mergeMirrorReports(records: readonly MirrorReportRecord[]): MirrorReport[] {
  const byDeployment = Map.groupBy(records, (record) => record.deployment.toLowerCase());
  return [...byDeployment.values()]
    .map(merge)
    .toSorted((a, b) => (a.deployment.toLowerCase() < b.deployment.toLowerCase() ? -1 : 1));
}

function merge(records: readonly MirrorReportRecord[]): MirrorReport {
  const sum = (pick: (record: MirrorReportRecord) => number): number =>
    records.reduce((total, record) => total + pick(record), 0);
  const first = records[0] as MirrorReportRecord;
  return {
    endpoint: first.endpoint,
    deployment: first.deployment,
    routers: records.length,
    since: records.map((record) => record.since).toSorted()[0] ?? first.since,
    updatedAt:
      records
        .map((record) => record.updatedAt)
        .toSorted()
        .at(-1) ?? first.updatedAt,
    sent: sum((r) => r.sent),
    dropped: sum((r) => r.dropped),
    compared: {
      equal: sum((r) => r.compared.equal),
      within: sum((r) => r.compared.within),
      differs: sum((r) => r.compared.differs),
      failed: sum((r) => r.compared.failed),
    },
    latencyDeltaMs: mergeLatency(records.map((record) => record.latencyDeltaMs)),
    recentDifferences: records
      .flatMap((record) => [...record.recentDifferences])
      .toSorted((a, b) => (a.at < b.at ? 1 : -1))
      .slice(0, differencesMax),
  };
}

/**
 * Percentiles of several routers cannot be added up; their mean, weighted by how many comparisons each made, is close
 * when routers see like traffic, which a load balancer gives them.
 */
function mergeLatency(parts: readonly MirrorReportRecord['latencyDeltaMs'][]): MirrorReportRecord['latencyDeltaMs'] {
  const count = parts.reduce((total, part) => total + part.count, 0);
  const mean = (pick: (part: MirrorReportRecord['latencyDeltaMs']) => number): number =>
    count === 0 ? 0 : parts.reduce((total, part) => total + pick(part) * part.count, 0) / count;
  return { p50: mean((p) => p.p50), p90: mean((p) => p.p90), p99: mean((p) => p.p99), count };
}
