export { batchSchedulerModule } from './module.ts';
export { readBatchSchedulerConfig, type BatchSchedulerConfig } from './config.ts';
