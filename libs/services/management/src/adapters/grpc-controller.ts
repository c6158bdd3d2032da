import { ControllerServiceClient } from '@mooring/contracts/controller';
import type { InstanceRecord } from '@mooring/domain';
import { createClient } from '@mooring/rpc';
import type { ControllerPort } from '../ports.ts';
import { serviceError } from './service-error.ts';

/** The controller over gRPC. `close` ends the connection. */
export function createGrpcController(address: string): ControllerPort & { close(): void } {
  const client = createClient(ControllerServiceClient, address, 10_000);
  const call: typeof client.call = async (method, request, options) => {
    try {
      return await client.call(method, request, options);
    } catch (thrown) {
      throw serviceError(thrown, 'controller');
    }
  };
  return {
    logs: async (query) => (await call('getLogs', query)).content,
    instances: async (endpoint, deployment) => {
      const { instanceJson } = await call('listInstances', { endpoint, deployment });
      return instanceJson.map((text) => JSON.parse(text) as InstanceRecord);
    },
    close: () => client.close(),
  };
}
