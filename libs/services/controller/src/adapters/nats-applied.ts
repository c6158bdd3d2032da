import { kvKey } from '@mooring/domain';
import type { Bucket } from '@mooring/messaging';
import type { AppliedDeployment, AppliedStore, Auth } from '../ports.ts';

export const appliedBucket = 'mooring_applied';

/** As it lies in the bucket: `spec.environmentVariables` is empty there, their values are in `sealed`. */
export interface AppliedRecord extends AppliedDeployment {
  sealed?: string;
}

/** Applied settings in NATS. Environment variables may hold secrets, so they are sealed by auth. */
export function createAppliedStore(bucket: Bucket<AppliedRecord>, auth: Pick<Auth, 'seal' | 'open'>): AppliedStore {
  const keyOf = (key: string): string => kvKey(...key.split('/'));
  const purposeOf = (key: string): string => `applied-environment-variables/${keyOf(key)}`;
  return {
    get: async (key) => {
      const entry = await bucket.get(keyOf(key));
      if (entry === undefined) return undefined;
      const { generation, spec, sealed } = entry.value;
      if (sealed === undefined) return { generation, spec };
      const plain = await auth.open(sealed, purposeOf(key));
      const environmentVariables = JSON.parse(plain) as Record<string, string>;
      return { generation, spec: { ...spec, environmentVariables } };
    },
    settings: async (key) => {
      const entry = await bucket.get(keyOf(key));
      return entry && { generation: entry.value.generation, spec: entry.value.spec };
    },
    put: async (key, { generation, spec }) => {
      const { environmentVariables } = spec;
      const secret = Object.keys(environmentVariables).length > 0;
      const sealed = secret ? await auth.seal(JSON.stringify(environmentVariables), purposeOf(key)) : undefined;
      await bucket.put(keyOf(key), {
        generation,
        spec: { ...spec, environmentVariables: {} },
        ...(sealed === undefined ? {} : { sealed }),
      });
    },
    remove: (key) => bucket.delete(keyOf(key)),
  };
}
