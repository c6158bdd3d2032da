import { expect, it } from 'vitest';
import { reportText } from './mirror-report.ts';

const report = {
  endpoint: 'cars',
  deployment: 'luca',
  sent: 100,
  dropped: 1,
  compared: { equal: 90, within: 5, differs: 3, failed: 1 },
  latencyDeltaMs: { p50: -1.25, p90: 2, p99: 149.067_000_000_04, count: 99 },
  recentDifferences: [],
  since: '2026-11-24T22:24:35.219Z',
  updatedAt: '2026-11-24T22:24:42.289Z',
};

it('counts the answers of each deployment in columns of their own', () => {
  expect(reportText([report])).toBe(
    [
      'Deployment  Sent  Dropped  Equal  Within  Differs  Failed  Delta p50 ms  P90 ms  P99 ms',
      '----------  ----  -------  -----  ------  -------  ------  ------------  ------  -------',
      'luca        100   1        90     5       3        1       -1.25         2       149.067',
    ].join('\n'),
  );
});

it('shows the latest answers that differed, not those that were near enough', () => {
  const answer = { requestId: 'r', at: 'now', where: 'a.b', maxDifference: 0.000_553_786 };
  const recentDifferences = [
    { ...answer, result: 'within' as const },
    ...Array.from({ length: 20 }, () => ({ ...answer, result: 'differs' as const })),
  ];
  const lines = reportText([{ ...report, recentDifferences }]).split('\n');
  expect(lines).toHaveLength(3 + 2 + 2 + 10);
  expect(lines.at(-1)).toBe('now  luca        differs  a.b    0.000554        r');
});

it('says when nothing has been mirrored', () =>
  expect(reportText([])).toMatch(/^nothing has been mirrored; .*--mirror-traffic/));
