import type { ListInstancesRequest, ListInstancesResponse } from '@mooring/contracts/controller';
import type { InstanceRecord } from '@mooring/domain';

export interface InstanceSource {
  instancesOf(endpoint: string, deployment: string | undefined): InstanceRecord[];
}

/** Oldest first; what ended and is not replaced yet is among them, with its reason. */
export function createListInstances(source: InstanceSource) {
  return ({ endpoint, deployment }: ListInstancesRequest): ListInstancesResponse => {
    const records = source.instancesOf(endpoint, deployment === '' ? undefined : deployment);
    const sorted = records.toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
    return { instanceJson: sorted.map((record) => JSON.stringify(record)) };
  };
}
