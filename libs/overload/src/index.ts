export { Progress } from './progress.ts';
export { retryAfterOf } from './retry-after.ts';
export { Lanes, type LaneLimits, type Queued } from './lanes.ts';
export { GradientLimit, type GradientOptions } from './gradient-limit.ts';
export { RetryBudget } from './retry-budget.ts';
