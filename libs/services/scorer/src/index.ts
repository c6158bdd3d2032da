export { runScorerProcess } from './process.ts';
export { startScorer, type Scorer, type ScorerOptions } from './scorer.ts';
