import { readMooringSettings, type OnlineDeploymentSpec, type SpecProblem } from '@mooring/domain';
import {
  codelessProblems,
  endpointProblems,
  referenceProblems,
  variableProblems,
  type EndpointContext,
  type References,
} from './reference-rules.ts';

export interface DeploymentContext extends Omit<EndpointContext, 'isNew' | 'endpointKind'> {
  current: OnlineDeploymentSpec | undefined;
  references: References;
}

/** Everything that azureml-contract 1.1 and 1.3 say about a deployment beyond the shape of its fields. */
export function deploymentProblems(spec: OnlineDeploymentSpec, context: DeploymentContext): SpecProblem[] {
  const { current, references } = context;
  return [
    ...endpointProblems({ ...context, endpointKind: 'online-endpoint', isNew: current === undefined }),
    ...servingProblems(spec, references),
    ...referenceProblems(spec, references),
    ...variableProblems(spec.environmentVariables),
    ...immutableProblems(spec, current),
    ...readMooringSettings(spec.properties).problems,
  ];
}

function servingProblems(spec: OnlineDeploymentSpec, references: References): SpecProblem[] {
  if (spec.code === undefined && spec.model === undefined) {
    return [{ path: 'model', problem: 'is missing', expected: 'a model, or code with a scoring script' }];
  }
  return codelessProblems(spec, references);
}

function immutableProblems(spec: OnlineDeploymentSpec, current: OnlineDeploymentSpec | undefined): SpecProblem[] {
  if (current === undefined || current.egressPublicNetworkAccess === spec.egressPublicNetworkAccess) return [];
  return [
    {
      path: 'egressPublicNetworkAccess',
      problem: 'cannot be changed once the deployment exists',
      expected: current.egressPublicNetworkAccess,
    },
  ];
}
