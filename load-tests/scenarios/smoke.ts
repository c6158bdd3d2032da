import type { Options } from 'k6/options';
import { expectAnswer } from '../lib/expectations.ts';
import { seconds, settings } from '../lib/settings.ts';
import { everySurface, onSurfaces, summaryTrendStats } from '../lib/surfaces.ts';
import { smokeThresholds } from '../thresholds.ts';

/** One caller for ten seconds: does the path work at all? */
export const options: Options = {
  scenarios: onSurfaces(() => ({ executor: 'constant-vus', vus: 1, duration: `${seconds('DURATION', '10s')}s` })),
  thresholds: smokeThresholds,
  summaryTrendStats,
};

const iterations = everySurface(expectAnswer);
export const { score, oip, grpc } = iterations;
// For `--duration` and `--iterations`, which replace the scenarios.
export default iterations[settings.surfaces[0] ?? 'score'];
