import type { ResourceKind, SpecByKind, Stored, SpecProblem } from '@mooring/domain';
import type { Reading } from '../reading/fields.ts';
import { codeFromArm, codeToArm, environmentFromArm, environmentToArm, modelFromArm, modelToArm } from './assets.ts';
import { deploymentFromArm, deploymentToArm } from './deployment.ts';
import { endpointFromArm, endpointToArm } from './endpoint.ts';
import { withEnvelope, type ArmContext } from './envelope.ts';

const readers: { [K in ResourceKind]: (body: unknown, reading: Reading) => SpecByKind[K] } = {
  'online-endpoint': endpointFromArm,
  'online-deployment': deploymentFromArm,
  model: modelFromArm,
  environment: environmentFromArm,
  code: codeFromArm,
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

function ownPart(stored: Stored, context: ArmContext): Record<string, unknown> {
  switch (stored.kind) {
    case 'online-endpoint':
      return endpointToArm(stored as Stored<'online-endpoint'>, context);
    case 'online-deployment':
      return deploymentToArm(stored as Stored<'online-deployment'>, context);
    case 'model':
      return modelToArm(stored as Stored<'model'>, context);
    case 'environment':
      return environmentToArm(stored as Stored<'environment'>, context);
    default:
      return codeToArm(stored as Stored<'code'>, context);
  }
}
