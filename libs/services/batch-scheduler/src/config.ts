import { z } from 'zod';
import {
  inheritedListener,
  readConfig,
  readDataFolder,
  serviceAddress,
  type DataFolder,
  type Environment,
} from '@mooring/config';
import { readAllowedHosts } from './input/web/allowed-hosts.ts';

/** Settings of the batch scheduler: MOORING_BATCH_SCHEDULER_<KEY>. */
const ownConfig = z.object({
  /** Jobs that are worked on at once; those after them are queued. */
  activeJobsMax: z.coerce.number().int().min(1).max(64).default(4),
  /** Jobs that may be queued; more are refused. */
  queuedJobsMax: z.coerce.number().int().min(1).max(100_000).default(10_000),
  /** Days for which the work files of ended jobs are kept, and for which the jobs themselves are. */
  filesKeptDays: z.coerce.number().min(0).max(36_500).default(30),
  jobsKeptDays: z.coerce.number().min(0).max(36_500).default(365),
});

/** Settings of batch jobs as a whole: MOORING_BATCH_<KEY>. */
const batchConfig = z.object({
  /** `allow`: jobs run although NATS may not sync what it acknowledges, so that a power cut may cost rows or double them. */
  lazySync: z.enum(['refuse', 'allow']).default('refuse'),
});

/** Settings of inputs from the web: MOORING_BATCH_INPUT_<KEY>. */
const inputConfig = z.object({
  /** Hosts that they may come from, with commas between: `data.example.org,*.example.net,10.0.0.5:8080`. None unless given. */
  hosts: z
    .string()
    .default('')
    .superRefine((text, context) => {
      try {
        readAllowedHosts(text);
      } catch (thrown) {
        context.addIssue({ code: 'custom', message: (thrown as Error).message });
      }
    }),
  /** Of one file. */
  bytesMax: z.coerce
    .number()
    .int()
    .min(1)
    .max(2 ** 50)
    .default(10 * 2 ** 30),
  timeoutS: z.coerce.number().int().min(1).max(86_400).default(3_600),
});

export interface BatchSchedulerConfig extends Readonly<z.output<typeof ownConfig>> {
  address: string;
  listenFd?: number | undefined;
  registryAddress: string;
  controllerAddress: string;
  folder: DataFolder;
  lazySyncAllowed: boolean;
  input: Readonly<z.output<typeof inputConfig>>;
}

export function readBatchSchedulerConfig(environment: Environment): BatchSchedulerConfig {
  return {
    ...readConfig('BATCH_SCHEDULER', ownConfig, environment),
    address: serviceAddress('batch-scheduler', environment),
    listenFd: inheritedListener('batch-scheduler', environment),
    registryAddress: serviceAddress('registry', environment),
    controllerAddress: serviceAddress('controller', environment),
    folder: readDataFolder(environment),
    lazySyncAllowed: readConfig('BATCH', batchConfig, environment).lazySync === 'allow',
    input: readConfig('BATCH_INPUT', inputConfig, environment),
  };
}
