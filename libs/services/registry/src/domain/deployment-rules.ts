import {
  laterProblem,
  readMooringSettings,
  type EnvironmentVersionSpec,
  type ModelVersionSpec,
  type OnlineDeploymentSpec,
  type SpecProblem,
} from '@mooring/domain';

const deploymentsPerEndpointMax = 20;

/** What a reference names: the asset, or undefined when there is none. */
export interface References {
  model: ModelVersionSpec | undefined;
  environment: EnvironmentVersionSpec | undefined;
  codeExists: boolean;
}

export interface DeploymentContext {
  current: OnlineDeploymentSpec | undefined;
  /** The endpoint as it is; undefined when there is none. */
  endpoint: { name: string; state: string } | undefined;
  endpointName: string;
  /** Other deployments of the endpoint that are not being deleted. */
  siblings: number;
  references: References;
}

/** Everything that azureml-contract 1.1 and 1.3 say about a deployment beyond the shape of its fields. */
export function deploymentProblems(spec: OnlineDeploymentSpec, context: DeploymentContext): SpecProblem[] {
  return [
    ...endpointProblem(context),
    ...countProblem(context),
    ...servingProblems(spec, context.references),
    ...referenceProblems(spec, context.references),
    ...variableProblems(spec),
    ...immutableProblems(spec, context.current),
    ...readMooringSettings(spec.properties).problems,
  ];
}

function endpointProblem({ endpoint, endpointName }: DeploymentContext): SpecProblem[] {
  if (endpoint === undefined) {
    return [
      {
        path: 'endpointName',
        problem: `there is no online endpoint '${endpointName}'`,
        expected: 'an endpoint that exists; create it first',
      },
    ];
  }
  if (endpoint.state !== 'Deleting') return [];
  return [{ path: 'endpointName', problem: `the endpoint '${endpoint.name}' is being deleted` }];
}

function countProblem({ current, siblings }: DeploymentContext): SpecProblem[] {
  if (current !== undefined || siblings < deploymentsPerEndpointMax) return [];
  return [
    {
      path: 'endpointName',
      problem: `the endpoint has ${siblings} deployments already`,
      expected: `at most ${deploymentsPerEndpointMax}; delete one first`,
    },
  ];
}

/** Without code a model must serve itself: an ONNX model does, which the controller sees by its files. */
function servingProblems(spec: OnlineDeploymentSpec, { model }: References): SpecProblem[] {
  if (spec.code !== undefined) return [];
  if (spec.model === undefined) {
    return [{ path: 'model', problem: 'is missing', expected: 'a model, or code with a scoring script' }];
  }
  if (model?.type === 'mlflow_model') return [laterProblem('model', 'MLflow models without a scoring script')];
  if (model?.type === 'triton_model') return [laterProblem('model', 'Triton models without a scoring script')];
  return [];
}

function referenceProblems(spec: OnlineDeploymentSpec, { model, environment, codeExists }: References): SpecProblem[] {
  const missing = (path: string, kind: string, key: string): SpecProblem => ({
    path,
    problem: `there is no ${kind} '${key}'`,
    expected: `a registered ${kind}, as name/version`,
  });
  const problems: SpecProblem[] = [];
  if (spec.model !== undefined && model === undefined) problems.push(missing('model', 'model', spec.model));
  if (spec.environment !== undefined && environment === undefined) {
    problems.push(missing('environment', 'environment', spec.environment));
  }
  if (environment?.osType === 'windows') problems.push(laterProblem('environment', 'environments for Windows'));
  if (spec.code !== undefined && !codeExists) problems.push(missing('code.codeKey', 'code', spec.code.codeKey));
  return problems;
}

/** `${{azureml://connections/...}}` and `${{keyvault:https://...}}` (rare). */
const secretReference = /\$\{\{\s*(azureml:\/\/|keyvault:)/i;

function variableProblems(spec: OnlineDeploymentSpec): SpecProblem[] {
  return Object.entries(spec.environmentVariables)
    .filter(([, value]) => secretReference.test(value))
    .map(([name]) => laterProblem(`environmentVariables.${name}`, 'references to secrets kept elsewhere'));
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
