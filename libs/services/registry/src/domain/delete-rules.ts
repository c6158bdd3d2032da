import type { BatchEndpointSpec, OnlineEndpointSpec, ResourceKind } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { Address } from './keys.ts';

/** A deployment that callers or the mirror still reach must not go; a Deleting endpoint reaches nothing any more. */
export function checkDeploymentUnused(
  { names, key }: Address,
  endpoint: { name: string; state: string; spec: OnlineEndpointSpec } | undefined,
): void {
  if (endpoint === undefined || endpoint.state === 'Deleting') return;
  const name = names[1] ?? '';
  const shareIn = (table: OnlineEndpointSpec['traffic']): number => {
    const lower = name.toLowerCase();
    return Object.hasOwn(table, lower) ? (table[lower] ?? 0) : 0;
  };
  const live = shareIn(endpoint.spec.traffic);
  if (live > 0) {
    throw new PlatformError(
      'failed_precondition',
      'DEPLOYMENT_HAS_TRAFFIC',
      `the deployment '${key}' gets ${live} % of the live traffic; give it 0 % first ` +
        `(mooring online-endpoint update --name ${endpoint.name} --traffic "${name}=0 ...")`,
    );
  }
  const mirrored = shareIn(endpoint.spec.mirrorTraffic);
  if (mirrored > 0) {
    throw new PlatformError(
      'failed_precondition',
      'DEPLOYMENT_IS_MIRRORED',
      `the deployment '${key}' gets a mirrored copy of ${mirrored} % of the traffic; give it 0 % first ` +
        `(mooring online-endpoint update --name ${endpoint.name} --mirror-traffic "${name}=0")`,
    );
  }
}

/** Jobs that name no deployment go to the default one. */
export function checkNotDefault(
  { names, key }: Address,
  endpoint: { name: string; state: string; spec: BatchEndpointSpec } | undefined,
): void {
  if (endpoint === undefined || endpoint.state === 'Deleting') return;
  if (endpoint.spec.defaultDeployment !== names[1]?.toLowerCase()) return;
  const update = `mooring batch-endpoint update --name ${endpoint.name}`;
  throw new PlatformError(
    'failed_precondition',
    'DEPLOYMENT_IS_DEFAULT',
    `the deployment '${key}' is the default of its endpoint; make another one the default first ` +
      `(${update} --defaults deployment_name=<deployment>) or none (${update} --remove defaults.deployment_name)`,
  );
}

export type DeploymentPart = {
  model?: string;
  environment?: string;
  code?: { codeKey: string };
  component?: string;
};

/** An asset that a deployment is made of must not go: a restart of the deployment, or its next job, would fail. */
export function checkAssetUnused(
  { kind, key }: Pick<Address, 'kind' | 'key'>,
  deployments: readonly { key: string; spec: DeploymentPart }[],
): void {
  const wanted = key.toLowerCase();
  const users = deployments
    .filter(({ spec }) => {
      const used: Partial<Record<ResourceKind, string | undefined>> = {
        model: spec.model,
        environment: spec.environment,
        code: spec.code?.codeKey,
        component: spec.component,
      };
      return used[kind]?.toLowerCase() === wanted;
    })
    .map((deployment) => deployment.key);
  if (users.length === 0) return;
  throw new PlatformError(
    'failed_precondition',
    'ASSET_IN_USE',
    `the ${kind} '${key}' is used by ${users.slice(0, 5).join(', ')}${users.length > 5 ? ' and others' : ''}; ` +
      'change or delete them first, or archive the version',
  );
}
