export { commit, indexOfKey, isDone, recordKey, type MiniBatchRecords } from './commit.ts';
export { createGrpcLaunches, type Launches } from './grpc-launches.ts';
export {
  jobFiles,
  jobKey,
  jsonLines,
  makeJobFolders,
  outputsOfPart,
  readMiniBatch,
  writeJsonLines,
  type JobFiles,
  type WrittenLines,
} from './job-files.ts';
export { batchWork } from './queue.ts';
