import {
  kindWords,
  laterProblem,
  type EndpointKind,
  type EnvironmentVersionSpec,
  type ModelVersionSpec,
  type SpecProblem,
} from '@mooring/domain';

const deploymentsPerEndpointMax = 20;

/** What a reference names: the asset, or undefined when there is none. */
export interface References {
  model: ModelVersionSpec | undefined;
  environment: EnvironmentVersionSpec | undefined;
  codeExists: boolean;
}

/** The part of a deployment that names other assets. */
export interface Referring {
  model?: string;
  environment?: string;
  code?: { codeKey: string; scoringScript: string };
}

export interface EndpointContext {
  endpointKind: EndpointKind;
  /** The endpoint as it is; undefined when there is none. */
  endpoint: { name: string; state: string } | undefined;
  endpointName: string;
  /** The deployment is made anew. */
  isNew: boolean;
  /** Other deployments of the endpoint that are not being deleted. */
  siblings: number;
}

/** What the endpoint says of its deployments: it must be there, stay, and have room for one more. */
export function endpointProblems(context: EndpointContext): SpecProblem[] {
  const { endpointKind, endpoint, endpointName, isNew, siblings } = context;
  const path = 'endpointName';
  if (endpoint === undefined) {
    const problem = `there is no ${kindWords(endpointKind)} '${endpointName}'`;
    return [{ path, problem, expected: 'an endpoint that exists; create it first' }];
  }
  if (endpoint.state === 'Deleting') return [{ path, problem: `the endpoint '${endpoint.name}' is being deleted` }];
  if (!isNew || siblings < deploymentsPerEndpointMax) return [];
  const problem = `the endpoint has ${siblings} deployments already`;
  return [{ path, problem, expected: `at most ${deploymentsPerEndpointMax}; delete one first` }];
}

/** Without code a model must serve itself: an ONNX model does, which the controller sees by its files. */
export function codelessProblems(spec: Referring, { model }: References): SpecProblem[] {
  if (spec.code !== undefined) return [];
  if (model?.type === 'mlflow_model') return [laterProblem('model', 'MLflow models without a scoring script')];
  if (model?.type === 'triton_model') return [laterProblem('model', 'Triton models without a scoring script')];
  return [];
}

/** Every version that a deployment names must be there. */
export function referenceProblems(spec: Referring, { model, environment, codeExists }: References): SpecProblem[] {
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

export function variableProblems(variables: Readonly<Record<string, string>>): SpecProblem[] {
  return Object.entries(variables)
    .filter(([, value]) => secretReference.test(value))
    .map(([name]) => laterProblem(`environmentVariables.${name}`, 'references to secrets kept elsewhere'));
}
