import type { ResourceKind, SpecByKind, Stored, SpecProblem } from '@mooring/domain';
import type { Reading } from '../reading/fields.ts';
import { codeFromArm, codeToArm, environmentFromArm, environmentToArm, modelFromArm, modelToArm } from './assets.ts';
import { batchDeploymentFromArm, batchDeploymentToArm } from './batch-deployment.ts';
import { batchEndpointFromArm, batchEndpointToArm } from './batch-endpoint.ts';
import { componentFromArm, componentToArm, dataFromArm, dataToArm } from './data-assets.ts';
import { deploymentFromArm, deploymentToArm } from './deployment.ts';
import { endpointFromArm, endpointToArm } from './endpoint.ts';
import { withEnvelope, type ArmContext } from './envelope.ts';

const readers: { [K in ResourceKind]: (body: unknown, reading: Reading) => SpecByKind[K] } = {
  'online-endpoint': endpointFromArm,
  'online-deployment': deploymentFromArm,
  'batch-endpoint': batchEndpointFromArm,
  'batch-deployment': batchDeploymentFromArm,
  model: modelFromArm,
  environment: environmentFromArm,
  code: codeFromArm,
  data: dataFromArm,
  component: componentFromArm,
};

/**
 * A request body as the domain's spec, Azure's defaults filled in. Every problem is told with its ARM path; with
 * problems the spec holds what could be read, good for further checks but not for storing.
 */
export function specFromArm<K extends ResourceKind>(
  kind: K,
  body: unknown,
): { spec: SpecByKind[K]; problems: SpecProblem[] } {
  const problems: SpecProblem[] = [];
  const spec = readers[kind](body, { problems, sources: new Map() });
  return { spec, problems: problems.map((p) => (p.path === '(file)' ? { ...p, path: '(body)' } : p)) };
}

/** A stored resource as a response body, with every field that Azure's SDK relies on (azureml-contract 10.4). */
export function armFromResource(stored: Stored, context: ArmContext): Record<string, unknown> {
  return withEnvelope(stored, context, ownPart(stored, context));
}

const writers: {
  [K in ResourceKind]: (stored: Stored<K>, context: ArmContext) => Record<string, unknown>;
} = {
  'online-endpoint': endpointToArm,
  'online-deployment': deploymentToArm,
  'batch-endpoint': batchEndpointToArm,
  'batch-deployment': batchDeploymentToArm,
  model: modelToArm,
  environment: environmentToArm,
  code: codeToArm,
  data: dataToArm,
  component: componentToArm,
};

function ownPart(stored: Stored, context: ArmContext): Record<string, unknown> {
  const write = writers[stored.kind] as (stored: Stored, context: ArmContext) => Record<string, unknown>;
  return write(stored, context);
}
