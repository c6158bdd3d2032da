import { RepositoryIndexRequest, RepositoryIndexResponse } from '@mooring/contracts/inference';
import { PlatformError } from '@mooring/errors';
import type { UnaryContext } from './grpc-context.ts';
import { decode, openedEndpoints } from './model-info.ts';
import type { InferDeps } from './model-infer.ts';

/** Every deployment of every endpoint that the caller's key opens. */
export function createRepositoryIndex(deps: InferDeps) {
  return (message: Buffer, context: UnaryContext): Buffer => {
    const { ready: readyOnly } = decode(RepositoryIndexRequest, message);
    const models = openedEndpoints(deps, context.authorization).flatMap((name) => {
      const deployments = [...(deps.directory.endpoint(name)?.deployments.values() ?? [])];
      return deployments.map(({ route, pool }) => {
        const ready = pool.slots.some((slot) => slot.stream.ready());
        const reason = ready ? '' : `instances: ${pool.describe()}`;
        return { name, version: route.name, state: ready ? 'READY' : 'UNAVAILABLE', reason };
      });
    });
    const listed = readyOnly ? models.filter(({ state }) => state === 'READY') : models;
    return Buffer.from(RepositoryIndexResponse.encode({ models: listed }).finish());
  };
}

/** Loading and unloading is the control plane's: a deployment comes and goes with its whole description. */
export function refuseRepositoryChange(): never {
  throw new PlatformError(
    'unimplemented',
    'USE_DEPLOYMENTS',
    'models are not loaded or unloaded by this call: use `mooring online-deployment create -f deployment.yml` and ' +
      '`mooring online-deployment delete`',
  );
}
