export { errorOf, failedReply, reply, type ScoreCall, type ScoreReply, type ScoringPort } from './port.ts';
export { ModelLoadError, type ModelRuntime } from './model-runtime.ts';
