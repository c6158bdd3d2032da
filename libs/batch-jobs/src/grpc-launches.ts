import { ControllerServiceClient } from '@mooring/contracts/controller';
import type { BatchLaunch, CommandLaunch, JobRecord } from '@mooring/domain';
import { createServiceClient } from '@mooring/rpc';

/** An environment may have to be built first; asked again, the controller goes on with what it has begun. */
const prepareMs = 15 * 60_000;

/** What the controller gets ready for a job. Rejects with the reason, for people, where it cannot. */
export interface Launches {
  prepare(job: JobRecord, signal?: AbortSignal): Promise<BatchLaunch | CommandLaunch>;
}

/** The controller over gRPC. `close` ends the connection. */
export function createGrpcLaunches(address: string): Launches & { close(): void } {
  const { call, close } = createServiceClient(ControllerServiceClient, address, 'controller', {
    deadlineMs: prepareMs,
  });
  return {
    prepare: async ({ endpoint, deployment, model, code, environment, step }, signal) => {
      const request = {
        endpoint,
        deployment,
        model,
        code: code?.codeKey ?? '',
        scoringScript: code?.scoringScript ?? '',
        environment: environment ?? '',
        step: step === undefined ? '' : step.command === undefined ? 'parallel' : 'command',
      };
      const { launchJson } = await call('prepareBatch', request, signal === undefined ? {} : { signal });
      return JSON.parse(launchJson) as BatchLaunch | CommandLaunch;
    },
    close,
  };
}
