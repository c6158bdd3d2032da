import type { Scenario } from '../options.ts';
import { constantArrivalRate, rampingArrivalRate } from './arrival-rate.ts';
import type { Executor, ExecutorHost } from './executor.ts';
import { constantVus, perVuIterations, sharedIterations } from './looping.ts';
import { rampingVus } from './ramping-vus.ts';

export type { Executor, ExecutorHost, Vu } from './executor.ts';

export function createExecutor(scenario: Scenario, host: ExecutorHost): Executor {
  switch (scenario.executor) {
    case 'constant-vus':
      return constantVus(scenario, host);
    case 'ramping-vus':
      return rampingVus(scenario, host);
    case 'per-vu-iterations':
      return perVuIterations(scenario, host);
    case 'shared-iterations':
      return sharedIterations(scenario, host);
    case 'constant-arrival-rate':
      return constantArrivalRate(scenario, host);
    case 'ramping-arrival-rate':
      return rampingArrivalRate(scenario, host);
  }
}
