import { choice, object, readOnly, required, type Reading } from '../../reading/fields.ts';
import { present } from '../../reading/present.ts';
import type { BatchEndpointDraft } from '../drafts.ts';
import { commonFields, endpointName } from './common.ts';
import { ofKind } from './deployment-parts.ts';
import { identity } from './online-endpoint.ts';

const fields = object(
  {
    name: required(endpointName),
    // Azure's client knows more modes, its service only this one.
    auth_mode: choice({ aad_token: 'aadToken' }),
    defaults: object({ deployment_name: endpointName }),
    identity,
    traffic: ofKind('online-endpoint'),
    mirror_traffic: ofKind('online-endpoint'),
    scoring_uri: readOnly,
    openapi_uri: readOnly,
    location: readOnly,
    kind: readOnly,
    ...commonFields,
  },
  'a batch endpoint',
);

/** azureml-contract 1.4. Undefined when a problem was noted. */
export function readBatchEndpoint(value: unknown, reading: Reading): BatchEndpointDraft | undefined {
  const read = fields.read(value, '', reading);
  if (read?.name === undefined || reading.problems.length > 0) return undefined;
  const deploymentName = read.defaults?.deployment_name;
  return {
    kind: 'batch-endpoint',
    name: read.name,
    body: {
      location: 'local',
      tags: read.tags ?? {},
      properties: present({
        description: read.description,
        authMode: read.auth_mode ?? 'aadToken',
        properties: read.properties ?? {},
        defaults: deploymentName === undefined ? undefined : { deploymentName },
      }),
    },
  };
}
