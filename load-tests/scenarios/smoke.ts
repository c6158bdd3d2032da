import { fail } from 'k6';
import type { Options } from 'k6/options';
import { expectAnswer } from '../lib/expectations.ts';
import type { Outcome } from '../lib/outcome.ts';
import { seconds, settings } from '../lib/settings.ts';
import { everySurface, onSurfaces, summaryTrendStats } from '../lib/surfaces.ts';
import { smokeThresholds } from '../thresholds.ts';

/** One caller for ten seconds: does the path work at all? */
export const options: Options = {
  scenarios: onSurfaces(() => ({ executor: 'constant-vus', vus: 1, duration: `${seconds('DURATION', '10s')}s` })),
  thresholds: smokeThresholds,
  summaryTrendStats,
};

let hasTold = false;

/** Says once what went wrong: a smoke test is what people run to find out. */
function judge(outcome: Outcome): void {
  expectAnswer(outcome);
  if (outcome.kind === 'answered' || hasTold) return;
  hasTold = true;
  fail(`${outcome.kind}, status ${outcome.status}: ${outcome.detail}`);
}

const iterations = everySurface(judge);
export const { score, oip, grpc } = iterations;
// For `--duration` and `--iterations`, which replace the scenarios.
export default iterations[settings.surfaces[0] ?? 'score'];
