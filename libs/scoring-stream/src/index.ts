export {
  answerOf,
  emptyReply,
  errorOf,
  failedReply,
  reply,
  type CallHead,
  type ScoreCall,
  type ScoreReply,
  type ScoringPort,
} from './port.ts';
export { abandonedBy, rankOf, spentUs } from './abandoned.ts';
export { ModelLoadError, type Capacity, type ModelRuntime } from './model-runtime.ts';
export { serveScoringStream, type ScoringStreamOptions, type ScoringStreamServer } from './serve-scoring-stream.ts';
export {
  openScoringStream,
  type OpenScoringStreamOptions,
  type ScoringStream,
  type ScoringStreamState,
} from './open-scoring-stream.ts';
export { bodyBytesMax, messageBytesMax } from './method.ts';
export { tracedPort } from './traced-port.ts';
