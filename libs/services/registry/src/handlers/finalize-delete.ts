import type { FinalizeDeleteRequest, FinalizeDeleteResponse } from '@mooring/contracts/registry';
import { deploymentKindOf, isEndpointKind, kindWords } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { readAddress, type Address } from '../domain/keys.ts';
import type { RegistryDeps } from '../ports.ts';
import type { Resources } from '../resources.ts';
import { listBelow } from '../spec-checks.ts';
import { untilSettled } from '../until-settled.ts';

/** What is gone already is fine, and so is a generation that is no longer current: then the delete did not come to this. */
export function createFinalizeDelete({ resources }: Pick<RegistryDeps, 'resources'>) {
  return async (
    { kind, key, generation }: FinalizeDeleteRequest,
    { signal }: { signal: AbortSignal },
  ): Promise<FinalizeDeleteResponse> => {
    const { address, problems } = readAddress(kind, key);
    if (problems.length > 0) return {};
    return untilSettled(signal, async () => {
      const current = await resources.get(address.kind, address.storeKey);
      if (current === undefined || current.document.generation !== generation) return {};
      if (current.document.operation.verb !== 'delete') {
        throw new PlatformError(
          'failed_precondition',
          'NOT_BEING_DELETED',
          `the ${kindWords(address.kind)} '${current.document.key}' is not being deleted; ask for the delete first`,
        );
      }
      await checkEmpty(resources, address);
      return (await resources.remove(address.storeKey, current.revision)) ? {} : undefined;
    });
  };
}

/** No deployment is made below an endpoint that is being deleted, so one that is empty stays empty. */
async function checkEmpty(resources: Resources, { kind, key }: Address): Promise<void> {
  if (!isEndpointKind(kind)) return;
  const left = (await listBelow(resources, deploymentKindOf[kind], key)).map(({ document }) => document.key);
  if (left.length === 0) return;
  throw new PlatformError(
    'failed_precondition',
    'DEPLOYMENTS_LEFT',
    `the ${kindWords(kind)} '${key}' still has deployments (${left.slice(0, 5).join(', ')}); delete them first`,
  );
}
