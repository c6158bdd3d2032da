import type { Program } from '../programs.ts';
import { batchFaultsProgram } from './batch-faults.ts';
import { batchJobsProgram } from './batch-jobs.ts';
import { besideBatchProgram } from './beside-batch.ts';
import { pipelineFaultsProgram } from './pipeline-faults.ts';
import { configurationProgram } from './configuration.ts';
import { disconnectsProgram } from './disconnects.ts';
import { largeBodiesProgram } from './large-bodies.ts';
import { neighboursProgram } from './neighbours.ts';
import { soakProgram } from './soak.ts';
import { unloadProgram } from './unload.ts';

/** What is measured with a platform of its own; in the order in which a run of several makes them. */
export const programs: readonly Program[] = [
  neighboursProgram,
  largeBodiesProgram,
  configurationProgram,
  unloadProgram,
  disconnectsProgram,
  batchFaultsProgram,
  batchJobsProgram,
  pipelineFaultsProgram,
  besideBatchProgram,
  soakProgram,
];
