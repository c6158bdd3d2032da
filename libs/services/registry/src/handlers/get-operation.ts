import type { GetOperationRequest, GetOperationResponse } from '@mooring/contracts/registry';
import { addressOfOperation, operationInHistory, operationNotFound } from '../domain/operation.ts';
import type { RegistryDeps } from '../ports.ts';

/** Most operations asked for are the running ones, which the present document knows; the history knows the others. */
export function createGetOperation({ resources }: Pick<RegistryDeps, 'resources'>) {
  return async ({ operationId: id }: GetOperationRequest): Promise<GetOperationResponse> => {
    const { kind, storeKey } = addressOfOperation(id);
    const read = await resources.get(kind, storeKey);
    const operation =
      read?.document.operation.id === id
        ? await resources.operationOf(read.document)
        : operationInHistory(id, await resources.history(storeKey));
    if (operation === undefined) throw operationNotFound(id);
    return { operationJson: JSON.stringify(operation) };
  };
}
