export { workerModule } from './module.ts';
export { readWorkerConfig, type WorkerConfig } from './config.ts';
