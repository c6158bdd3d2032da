import { ControllerServiceClient } from '@mooring/contracts/controller';
import type { InstanceRecord } from '@mooring/domain';
import { createServiceClient } from '@mooring/rpc';
import type { ControllerPort } from '../ports.ts';
import { advice } from './advice.ts';

/** The controller over gRPC. `close` ends the connection. */
export function createGrpcController(address: string): ControllerPort & { close(): void } {
  const { call, close } = createServiceClient(ControllerServiceClient, address, 'controller', {
    deadlineMs: 10_000,
    advice,
  });
  return {
    logs: async (query) => (await call('getLogs', query)).content,
    instances: async (endpoint, deployment) => {
      const { instanceJson } = await call('listInstances', { endpoint, deployment });
      return instanceJson.map((text) => JSON.parse(text) as InstanceRecord);
    },
    close,
  };
}
