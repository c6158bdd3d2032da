import type { MirrorReportRecord } from '@mooring/domain';
import { defineCommand } from '../../command.ts';
import { endpointRule, nameFlag } from '../../shared/flags.ts';
import { tableOf } from '../../table.ts';

type Report = Omit<MirrorReportRecord, 'routerId'>;

export const command = defineCommand({
  summary: 'How the answers of mirrored deployments compare with the live ones',
  about:
    'Within: every number is within the deployment’s tolerance (properties mooring.mirror.tolerance). Delta: mirror minus live.',
  flags: {
    name: nameFlag('endpoint'),
    deployment: {
      kind: 'text',
      names: ['--deployment-name', '-d', '--deployment'],
      value: 'NAME',
      rule: endpointRule,
      about: 'of this deployment only',
    },
  },
  examples: [
    'mooring online-endpoint mirror-report -n cars',
    'mooring online-endpoint mirror-report -n cars --query [0].compared -o json',
  ],
  async run(args, context) {
    const client = await context.client();
    const all = (await client.onlineEndpoints.mirrorReport(args.name, context)) as unknown as Report[];
    const wanted = args.deployment?.toLowerCase();
    const reports = all.filter(({ deployment }) => wanted === undefined || deployment.toLowerCase() === wanted);
    await context.print(reports.map(withTotal), { output: 'table', table: () => reportText(reports) });
  },
});

function withTotal(report: Report): unknown {
  const { equal, within, differs, failed } = report.compared;
  return { ...report, compared: { ...report.compared, total: equal + within + differs + failed } };
}

/** More say nothing new to a reader; JSON has all that are kept. */
const differencesMax = 10;

/** Counts of each deployment, and below them where its answers last differed. */
export function reportText(reports: readonly Report[]): string {
  if (reports.length === 0)
    return 'nothing has been mirrored; requests are, to deployments that `online-endpoint update --mirror-traffic` names';
  const rows = reports.map(({ deployment, sent, dropped, compared, latencyDeltaMs: delta }) => ({
    deployment,
    sent,
    dropped,
    ...compared,
    'delta p50 ms': delta.p50,
    'p90 ms': delta.p90,
    'p99 ms': delta.p99,
  }));
  const differences = reports.flatMap(({ deployment, recentDifferences }) =>
    recentDifferences.filter(({ result }) => result !== 'within').map((difference) => ({ deployment, ...difference })),
  );
  const fields = [
    'deployment',
    'sent',
    'dropped',
    'equal',
    'within',
    'differs',
    'failed',
    'delta p50 ms',
    'p90 ms',
    'p99 ms',
  ];
  const counts = tableOf(rows, fields);
  if (differences.length === 0) return counts;
  return `${counts}\n\nRecent differences:\n${tableOf(differences.slice(0, differencesMax), ['at', 'deployment', 'result', 'where', 'maxDifference', 'requestId'])}`;
}
