import { isAssetKind, type ResourceKind, type Stored } from '@mooring/domain';
import { resourceId, resourceType, type Workspace } from './ids.ts';
import { present } from '../reading/present.ts';

/** What a body says beyond the resource itself. */
export interface ArmContext {
  workspace: Workspace;
  location: string;
  /** Base of the scoring URIs, without a slash at the end. */
  gatewayUrl: string;
}

/** Ids, times and state around what the kind itself says. */
export function withEnvelope(
  stored: Stored,
  context: ArmContext,
  own: Record<string, unknown>,
): Record<string, unknown> {
  const { kind, key, system } = stored;
  const properties = own['properties'] as Record<string, unknown>;
  const isAsset = isAssetKind(kind);
  return {
    id: resourceId(context.workspace, kind, key),
    name: key.slice(key.indexOf('/') + 1),
    type: resourceType(kind),
    etag: stored.etag,
    // Assets keep their tags among their properties and have no location.
    ...(isAsset ? {} : { location: context.location, tags: stored.spec.tags }),
    systemData: {
      createdAt: system.createdAt,
      createdBy: system.createdBy,
      createdByType: 'User',
      lastModifiedAt: system.lastModifiedAt,
      lastModifiedBy: system.lastModifiedBy,
      lastModifiedByType: 'User',
    },
    ...own,
    properties: {
      ...properties,
      ...(isAsset ? { tags: stored.spec.tags } : {}),
      provisioningState: stored.state,
      mooring: moreOf(stored),
    },
  };
}

/** What Azure's shape has no place for; clients that do not know it pass over it. */
function moreOf({ generation, warnings, operation }: Stored<ResourceKind>): Record<string, unknown> {
  return present({
    generation,
    warnings: warnings === undefined || warnings.length === 0 ? undefined : warnings,
    step: operation.status === 'InProgress' ? operation.step : undefined,
    error: operation.status === 'Failed' ? operation.error : undefined,
  });
}
