import { msFromIso } from '../reading/durations.ts';
import { isObject } from '../reading/fields.ts';

export type Json = Record<string, unknown>;

/** A version has its asset's name in the id and its own version as name; a container has only its name. */
export function assetShape(arm: Json, properties: Json): Json {
  const version = segmentAfter(arm['id'], 'versions');
  const name = /\/([^/]+)\/versions\/[^/]+$/i.exec(String(arm['id'] ?? ''))?.[1];
  return {
    name: name ?? arm['name'],
    version,
    latest_version: properties['latestVersion'],
    description: properties['description'],
    tags: properties['tags'] ?? {},
    properties: properties['properties'] ?? {},
    id: arm['id'],
    // `az ml` prints no such field; without it nobody could see what archive did.
    archived: properties['isArchived'] === true ? true : undefined,
    provisioning_state: properties['provisioningState'],
    creation_context: creationContext(arm['systemData']),
  };
}

export function codeShape(value: unknown): Json | undefined {
  if (!isObject(value)) return undefined;
  return withoutUndefined({ code: value['codeId'], scoring_script: value['scoringScript'] });
}

export function creationContext(value: unknown): Json | undefined {
  if (!isObject(value)) return undefined;
  return withoutUndefined({
    created_at: value['createdAt'],
    created_by: value['createdBy'],
    created_by_type: value['createdByType'],
    last_modified_at: value['lastModifiedAt'],
    last_modified_by: value['lastModifiedBy'],
    last_modified_by_type: value['lastModifiedByType'],
  });
}

export function reference(value: unknown): string | undefined {
  return typeof value === 'string' ? `azureml:${value.replace(/^azureml:/, '')}` : undefined;
}

export function segmentAfter(id: unknown, segment: string): string | undefined {
  if (typeof id !== 'string') return undefined;
  const segments = id.split('/');
  const at = segments.findIndex((part) => part.toLowerCase() === segment.toLowerCase());
  return at === -1 ? undefined : segments[at + 1];
}

export function authWord(value: unknown): string | undefined {
  const word = String(value ?? '').toLowerCase();
  return { key: 'key', amltoken: 'aml_token', aadtoken: 'aad_token' }[word];
}

export function lower(value: unknown): string | undefined {
  return typeof value === 'string' ? value.toLowerCase() : undefined;
}

export function snake(value: unknown): string | undefined {
  return typeof value === 'string' ? value.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase() : undefined;
}

export function ms(value: unknown): number | undefined {
  return typeof value === 'string' ? msFromIso(value) : undefined;
}

export function seconds(value: unknown): number | undefined {
  const inMs = ms(value);
  return inMs === undefined ? undefined : inMs / 1000;
}

export function withoutUndefined(value: Json): Json {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined && item !== null));
}

export function identityShape(value: unknown): Json | undefined {
  if (!isObject(value)) return undefined;
  return withoutUndefined({
    type: snake(value['type']),
    principal_id: value['principalId'],
    tenant_id: value['tenantId'],
  });
}
