import type { RunningModules } from '@mooring/runtime';
import type { ScoringPort } from '@mooring/scoring-stream';
import { routerModule } from './module.ts';

export { readRouterConfig, type RouterConfig } from './config.ts';
export type { Router } from './service.ts';
export { routerModule };

/** The router of this process as a port, for a gateway that runs beside it; undefined when none runs here. */
export function routerScoringPort(running: RunningModules): ScoringPort | undefined {
  return running.get(routerModule)?.scoring;
}
