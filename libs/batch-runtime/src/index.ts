export { argumentWords } from './command/argument-words.ts';
export { createCommandRunner } from './command/command-runner.ts';
export { inputTexts } from './command/input-texts.ts';
export { createRunner } from './create-runner.ts';
export { cutRows, type CutOptions } from './cut/cut-rows.ts';
export { failureReasons, writeFailedPart, type FailedWhole } from './parts/write-failed-part.ts';
export type {
  MiniBatchDone,
  MiniBatchFailed,
  MiniBatchOutcome,
  MiniBatchRunner,
  RunnerOptions,
  RunOptions,
} from './runner.ts';
