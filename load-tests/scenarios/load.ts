import type { Options } from 'k6/options';
import { expectAnswer } from '../lib/expectations.ts';
import { seconds, settings, whole } from '../lib/settings.ts';
import { everySurface, onSurfaces, summaryTrendStats, usersFor } from '../lib/surfaces.ts';
import { loadThresholds } from '../thresholds.ts';

const rate = whole('RATE', 50);

/** The load of a usual day: requests come at a constant rate, whether earlier ones are answered or not. */
export const options: Options = {
  scenarios: onSurfaces(() => ({
    executor: 'constant-arrival-rate',
    rate,
    duration: `${seconds('DURATION', '1m')}s`,
    ...usersFor(rate),
  })),
  thresholds: loadThresholds,
  summaryTrendStats,
};

const iterations = everySurface(expectAnswer);
export const { score, oip, grpc } = iterations;
export default iterations[settings.surfaces[0] ?? 'score'];
