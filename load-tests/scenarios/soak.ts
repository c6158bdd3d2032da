import type { Options } from 'k6/options';
import { expectAnswer } from '../lib/expectations.ts';
import { seconds, settings, whole } from '../lib/settings.ts';
import { everySurface, onSurfaces, summaryTrendStats, usersFor } from '../lib/surfaces.ts';
import { soakThresholds } from '../thresholds.ts';

const rate = whole('RATE', 50);

/** A usual load for long: what leaks or drifts shows. Give `SURFACE=score,oip,grpc` for a mixed one. */
export const options: Options = {
  scenarios: onSurfaces(() => ({
    executor: 'constant-arrival-rate',
    rate,
    duration: `${seconds('DURATION', '30m')}s`,
    ...usersFor(rate),
  })),
  thresholds: soakThresholds,
  summaryTrendStats,
};

const iterations = everySurface(expectAnswer);
export const { score, oip, grpc } = iterations;
export default iterations[settings.surfaces[0] ?? 'score'];
