import exec from 'k6/execution';
import { Gauge } from 'k6/metrics';
import type { Options } from 'k6/options';
import { expectAnswerOrRefusal } from '../lib/expectations.ts';
import type { Outcome } from '../lib/outcome.ts';
import { seconds, settings, whole } from '../lib/settings.ts';
import { everySurface, onSurfaces, summaryTrendStats, usersFor } from '../lib/surfaces.ts';
import { breakpointThresholds } from '../thresholds.ts';

const startRate = whole('RATE', 10);
const maxRate = whole('MAX_RATE', 2000);
const offeredRate = new Gauge('offered_rate');

/** Ever more requests per second, until a threshold ends the run: that rate is the capacity. */
export const options: Options = {
  scenarios: onSurfaces(() => ({
    executor: 'ramping-arrival-rate',
    startRate,
    stages: [{ target: maxRate, duration: `${seconds('DURATION', '5m')}s` }],
    ...usersFor(maxRate),
  })),
  thresholds: breakpointThresholds,
  summaryTrendStats,
};

function judge(outcome: Outcome): void {
  offeredRate.add(Math.round(startRate + (maxRate - startRate) * exec.scenario.progress));
  expectAnswerOrRefusal(outcome);
}

const iterations = everySurface(judge);
export const { score, oip, grpc } = iterations;
export default iterations[settings.surfaces[0] ?? 'score'];
