import { describe, expect, it } from 'vitest';
import type { MirrorReportRecord } from '@mooring/domain';
import { mergeMirrorReports } from './mirror-report.ts';

function record(routerId: string, changes: Partial<MirrorReportRecord> = {}): MirrorReportRecord {
  return {
    endpoint: 'cars',
    deployment: 'luca',
    routerId,
    since: '2026-01-01T00:00:00Z',
    updatedAt: '2026-01-02T00:00:00Z',
    sent: 10,
    dropped: 1,
    compared: { equal: 5, within: 3, differs: 1, failed: 1 },
    latencyDeltaMs: { p50: 1, p90: 2, p99: 3, count: 10 },
    recentDifferences: [{ requestId: 'r', at: '2026-01-01T10:00:00Z', result: 'differs', where: 'status' }],
    ...changes,
  };
}

describe('mirror reports of several routers', () => {
  it('are added up by deployment', () => {
    const [report, ...others] = mergeMirrorReports([record('a'), record('b', { since: '2025-12-31T00:00:00Z' })]);
    expect(others).toEqual([]);
    expect(report).toMatchObject({
      deployment: 'luca',
      routers: 2,
      sent: 20,
      dropped: 2,
      since: '2025-12-31T00:00:00Z',
      compared: { equal: 10, within: 6, differs: 2, failed: 2 },
    });
    expect(report).not.toHaveProperty('routerId');
  });

  it('weigh percentiles by how much each router compared', () => {
    const [report] = mergeMirrorReports([
      record('a', { latencyDeltaMs: { p50: 0, p90: 0, p99: 0, count: 30 } }),
      record('b', { latencyDeltaMs: { p50: 4, p90: 8, p99: 12, count: 10 } }),
    ]);
    expect(report?.latencyDeltaMs).toEqual({ p50: 1, p90: 2, p99: 3, count: 40 });
  });

  it('show the latest differences first, in the order of deployments', () => {
    const late = { requestId: 'late', at: '2026-01-03T00:00:00Z', result: 'within', where: '[0]' } as const;
    const reports = mergeMirrorReports([
      record('a'),
      record('b', { recentDifferences: [late] }),
      record('a', { deployment: 'anna' }),
    ]);
    expect(reports.map(({ deployment }) => deployment)).toEqual(['anna', 'luca']);
    expect(reports[1]?.recentDifferences[0]?.requestId).toBe('late');
  });
});
