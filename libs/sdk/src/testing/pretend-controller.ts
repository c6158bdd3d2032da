import { credentials, Metadata, type CallOptions, type ServiceError } from '@grpc/grpc-js';
import { AuthServiceClient } from '@mooring/contracts/auth';
import { RegistryServiceClient, type Resource as ResourceMessage } from '@mooring/contracts/registry';
import { deploymentKindOf, isEndpointKind, type Resource, type ResourceKind } from '@mooring/domain';

/** Ends operations as a controller would, without starting anything. */
export interface PretendController {
  /** Deployments whose operation ends as failed, with this message. */
  readonly failures: Map<string, string>;
  /** Resources whose operation stays at its step until they are taken out. */
  readonly held: Set<string>;
  stop(): Promise<void>;
}

const periodMs = 50;
const deadlineMs = 5_000;

export function startPretendController(registryAddress: string, authAddress: string): PretendController {
  const registry = new RegistryServiceClient(registryAddress, credentials.createInsecure());
  const auth = new AuthServiceClient(authAddress, credentials.createInsecure());
  const failures = new Map<string, string>();
  const held = new Set<string>();
  let stopped = false;
  const list = async (kind: string, parent: string): Promise<ResourceMessage[]> => {
    const request = { kind, parent, pageSize: 100, pageToken: '' };
    return (await ask(registry.listResources.bind(registry), request)).resources;
  };
  const takeDown = async (kind: ResourceKind, key: string, generation: number): Promise<void> => {
    const below = isEndpointKind(kind) ? await list(deploymentKindOf[kind], key) : [];
    for (const deployment of below) {
      const request = { kind: deployment.kind, key: deployment.key, ifMatch: '', principal: 'controller' };
      await ask(registry.deleteResource.bind(registry), request);
    }
    if (below.length === 0) await ask(registry.finalizeDelete.bind(registry), { kind, key, generation });
  };
  const endOperation = async (message: ResourceMessage): Promise<void> => {
    const { kind, key, generation, state, operation } = JSON.parse(message.documentJson) as Resource;
    if (operation.status !== 'InProgress') return;
    if (state === 'Deleting') {
      await takeDown(kind, key, generation);
      return;
    }
    if (isEndpointKind(kind)) await ask(auth.ensureEndpointKeys.bind(auth), { endpoint: key });
    const report = { kind, key, generation, percentComplete: 50, warnings: [], errorCode: '', errorMessage: '' };
    const tell = registry.reportOperation.bind(registry);
    if (operation.step === undefined) {
      await ask(tell, { ...report, status: 'InProgress', step: 'starting instance 1 of 1' });
      return;
    }
    if (held.has(key)) return;
    const failure = failures.get(key);
    if (failure === undefined) await ask(tell, { ...report, status: 'Succeeded', step: '' });
    else {
      await ask(tell, {
        ...report,
        status: 'Failed',
        step: '',
        errorCode: 'UserScriptInitFailed',
        errorMessage: failure,
      });
    }
  };
  const loop = (async () => {
    while (!stopped) {
      for (const kind of ['online-endpoint', 'online-deployment', 'batch-endpoint', 'batch-deployment']) {
        for (const message of await list(kind, '')) await endOperation(message);
      }
      await new Promise((resolve) => setTimeout(resolve, periodMs));
    }
  })();
  return {
    failures,
    held,
    stop: async () => {
      stopped = true;
      await loop;
      registry.close();
      auth.close();
    },
  };
}

type Unary<Q, R> = (
  request: Q,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: R) => void,
) => unknown;

/** One unary call of a generated client. */
export function ask<Q, R>(call: Unary<Q, R>, request: Q): Promise<R> {
  return new Promise((resolve, reject) => {
    call(request, new Metadata(), { deadline: Date.now() + deadlineMs }, (error, response) => {
      if (error === null) resolve(response);
      else reject(error);
    });
  });
}
