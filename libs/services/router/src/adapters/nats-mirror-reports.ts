import { kvKey, type MirrorReportRecord } from '@mooring/domain';
import type { Bucket } from '@mooring/messaging';
import type { MirrorReports } from '../ports.ts';

/** Mirror reports in the bucket `mooring_mirror`, one key per router: routers never write over each other. */
export function createNatsMirrorReports(bucket: Bucket<MirrorReportRecord>, routerId: string): MirrorReports {
  const keyOf = (endpoint: string, deployment: string): string => kvKey(endpoint, deployment, routerId);
  return {
    put: async (report) => void (await bucket.put(keyOf(report.endpoint, report.deployment), report)),
    remove: (endpoint, deployment) => bucket.delete(keyOf(endpoint, deployment)),
  };
}
