import type { GetLogsRequest, GetLogsResponse } from '@mooring/contracts/controller';
import { PlatformError } from '@mooring/errors';
import type { ComputeTarget, PreparationLog } from '../ports.ts';

const tailDefault = 5_000;
const tailMax = 50_000;

export interface LogSources {
  compute: Pick<ComputeTarget, 'logs'>;
  preparationLog: Pick<PreparationLog, 'tail'>;
}

/** A deployment that wrote nothing (or does not exist) has an empty log. */
export function createGetLogs({ compute, preparationLog }: LogSources) {
  return ({ endpoint, deployment, tail, container }: GetLogsRequest): GetLogsResponse => {
    const lines = Math.min(tail === 0 ? tailDefault : tail, tailMax);
    switch (container) {
      case '':
      case 'inference-server':
        return { content: compute.logs(endpoint, deployment, lines) };
      case 'storage-initializer':
        return { content: preparationLog.tail(endpoint, deployment, lines) };
      default:
        throw PlatformError.invalid('get logs', [
          { path: 'container', problem: 'is not known', expected: 'inference-server or storage-initializer' },
        ]);
    }
  };
}
