import { inheritedListener, serviceAddress, type Environment } from '@mooring/config';

export interface WorkerConfig {
  address: string;
  listenFd?: number | undefined;
}

/** Settings: MOORING_DATA, MOORING_WORKER_ADDRESS. */
export function readWorkerConfig(environment: Environment): WorkerConfig {
  return { address: serviceAddress('worker', environment), listenFd: inheritedListener('worker', environment) };
}
