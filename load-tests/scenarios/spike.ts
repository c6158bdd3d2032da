import type { Options, Scenario } from 'k6/options';
import { expectAnswerOrRefusal } from '../lib/expectations.ts';
import { seconds, settings, whole } from '../lib/settings.ts';
import { everySurface, summaryTrendStats, usersFor } from '../lib/surfaces.ts';
import { spikeThresholds } from '../thresholds.ts';

const rate = whole('RATE', 50);
/** How many times the usual rate. */
const factor = whole('FACTOR', 10);
const spikeSeconds = seconds('DURATION', '60s');
const calmSeconds = seconds('CALM', '10s');
/** What the endpoint may take to be its old self again. */
const graceSeconds = seconds('GRACE', '2s');

function phase(name: string, startSeconds: number, durationSeconds: number, perSecond: number): Scenario {
  return {
    executor: 'constant-arrival-rate',
    startTime: `${startSeconds}s`,
    duration: `${durationSeconds}s`,
    rate: perSecond,
    tags: { phase: name },
    ...usersFor(perSecond),
  };
}

/** A usual load, a sudden multiple of it, and the usual load again. */
function phases(): { [name: string]: Scenario } {
  const recoveryAt = calmSeconds + spikeSeconds + graceSeconds;
  const scenarios: { [name: string]: Scenario } = {};
  for (const surface of settings.surfaces) {
    scenarios[`${surface}_calm`] = { ...phase('calm', 0, calmSeconds, rate), exec: surface };
    scenarios[`${surface}_spike`] = { ...phase('spike', calmSeconds, spikeSeconds, rate * factor), exec: surface };
    scenarios[`${surface}_recovery`] = { ...phase('recovery', recoveryAt, calmSeconds, rate), exec: surface };
  }
  return scenarios;
}

export const options: Options = { scenarios: phases(), thresholds: spikeThresholds, summaryTrendStats };

const iterations = everySurface(expectAnswerOrRefusal);
export const { score, oip, grpc } = iterations;
export default iterations[settings.surfaces[0] ?? 'score'];
