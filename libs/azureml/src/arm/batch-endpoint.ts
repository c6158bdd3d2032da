import type { BatchEndpointSpec, Stored } from '@mooring/domain';
import { choice, later, object, readOnly, required, text, type Reading } from '../reading/fields.ts';
import { present } from '../reading/present.ts';
import { identity } from './endpoint.ts';
import type { ArmContext } from './envelope.ts';
import { endpointName, envelope, textMap } from './scalars.ts';

const fields = object(
  {
    ...envelope,
    location: text(),
    tags: textMap,
    sku: readOnly,
    identity,
    properties: required(
      object({
        // Azure's SDK sends `aadToken`, and the service answers `AADToken`.
        authMode: choice({ AADToken: 'aad_token' }),
        description: text(),
        properties: textMap,
        defaults: object({ deploymentName: endpointName }),
        keys: later('keys chosen by the caller; keys are made by the server'),
        scoringUri: readOnly,
        swaggerUri: readOnly,
        provisioningState: readOnly,
        mooring: readOnly,
      }),
    ),
  },
  'a batch endpoint',
);

/** azureml-contract 3.4, `BatchEndpoint`. */
export function batchEndpointFromArm(body: unknown, reading: Reading): BatchEndpointSpec {
  const read = fields.read(body, '', reading);
  const properties = read?.properties ?? {};
  return present({
    description: properties.description,
    tags: read?.tags ?? {},
    properties: properties.properties ?? {},
    authMode: 'aad_token',
    defaultDeployment: properties.defaults?.deploymentName?.toLowerCase(),
  }) as BatchEndpointSpec;
}

export function batchEndpointToArm(
  { key, spec }: Stored<'batch-endpoint'>,
  { gatewayUrl }: ArmContext,
): Record<string, unknown> {
  const { defaultDeployment } = spec;
  return {
    properties: present({
      description: spec.description,
      authMode: 'AADToken',
      properties: spec.properties,
      defaults: defaultDeployment === undefined ? {} : { deploymentName: defaultDeployment },
      scoringUri: `${gatewayUrl}/endpoints/${encodeURIComponent(key)}/jobs`,
    }),
  };
}
