export { Progress } from './progress.ts';
export { retryAfterOf } from './retry-after.ts';
export { Lanes, type Queued } from './lanes.ts';
export { GradientLimit } from './gradient-limit.ts';
export { RetryBudget } from './retry-budget.ts';
export { InflateError, Inflations, type InflateFormat, type Inflation } from './inflations.ts';
