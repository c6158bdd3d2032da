import type { Threshold } from 'k6/options';
import { settings, whole } from './lib/settings.ts';

/** What each kind of load test promises; a crossed line ends the run with exit status 99. */
export interface Thresholds {
  [metric: string]: Threshold[];
}

/** Does the path work at all, and is it not absurdly slow? */
export const smokeThresholds: Thresholds = {
  checks: ['rate==1'],
  answered_duration: ['p(99)<500'],
};

/** A load that the endpoint has to bear: everything is answered, in time, and the generator kept its schedule. */
export const loadThresholds: Thresholds = {
  checks: ['rate>0.999'],
  answered_duration: [`p(99)<${whole('P99_MS', 100)}`],
  // An iteration counts from the moment it was due: what waits for a slow answer before it is slow, too.
  iteration_duration: [`p(99)<${whole('P99_MS', 100)}`],
  dropped_iterations: ['count==0'],
};

/** As for load, over hours: a leak shows as a p99 that grows, so the worst answer has a limit as well. */
export const soakThresholds: Thresholds = {
  checks: ['rate>0.9999'],
  answered_duration: [`p(99)<${whole('P99_MS', 100)}`, `max<${settings.deadlineMs}`],
  dropped_iterations: ['count==0'],
};

/** Beyond capacity: honest refusals, answers within the deadline, and back to normal afterwards. */
export const spikeThresholds: Thresholds = {
  checks: ['rate==1'],
  failed: ['count==0'],
  answered_duration: [`p(99)<=${settings.deadlineMs}`],
  'answered{phase:calm}': ['rate==1'],
  'answered{phase:recovery}': ['rate==1'],
};

/** Ends the run where the endpoint stops keeping up; `offered_rate` in the summary is the rate at which it did. */
export const breakpointThresholds: Thresholds = {
  answered: [
    { threshold: `rate>${Number(whole('ANSWERED_PERCENT', 99)) / 100}`, abortOnFail: true, delayAbortEval: '5s' },
  ],
  answered_duration: [{ threshold: `p(99)<${whole('P99_MS', 500)}`, abortOnFail: true, delayAbortEval: '5s' }],
};
