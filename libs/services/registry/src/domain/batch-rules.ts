import {
  readBatchSettings,
  type BatchDeploymentSpec,
  type BatchEndpointSpec,
  type ComponentVersionSpec,
  type SpecProblem,
} from '@mooring/domain';
import { shrunkProperties } from './endpoint-rules.ts';
import {
  codelessProblems,
  endpointProblems,
  referenceProblems,
  variableProblems,
  type EndpointContext,
  type References,
} from './reference-rules.ts';

export interface BatchEndpointContext {
  current: BatchEndpointSpec | undefined;
  /** Names of the endpoint's deployments in lower case, those that are being deleted left out. */
  deployments: ReadonlySet<string>;
}

/** What azureml-contract 1.4 says about a batch endpoint beyond the shape of its fields. */
export function batchEndpointProblems(
  spec: BatchEndpointSpec,
  { current, deployments }: BatchEndpointContext,
): SpecProblem[] {
  return [...defaultProblems(spec, current, deployments), ...shrunkProperties(spec, current)];
}

/** The default deployment by its name in lower case, as it is compared. */
export function normalizeBatchEndpoint({ defaultDeployment, ...spec }: BatchEndpointSpec): BatchEndpointSpec {
  return defaultDeployment === undefined ? spec : { ...spec, defaultDeployment: defaultDeployment.toLowerCase() };
}

function defaultProblems(
  { defaultDeployment }: BatchEndpointSpec,
  current: BatchEndpointSpec | undefined,
  deployments: ReadonlySet<string>,
): SpecProblem[] {
  const path = 'defaultDeployment';
  if (defaultDeployment === undefined) return [];
  if (current === undefined) {
    const problem = 'cannot be set when the endpoint is created, because it has no deployments yet';
    return [{ path, problem, expected: 'nothing; update the endpoint once the deployment exists' }];
  }
  if (deployments.has(defaultDeployment.toLowerCase())) return [];
  const known = [...deployments].toSorted().join(', ') || 'none yet';
  const shown = defaultDeployment.slice(0, 60);
  return [{ path, problem: `there is no deployment '${shown}'`, expected: `one of: ${known}` }];
}

export interface BatchDeploymentContext extends Omit<EndpointContext, 'isNew' | 'endpointKind'> {
  current: BatchDeploymentSpec | undefined;
  references: References & { component: ComponentVersionSpec | undefined };
}

/** What azureml-contract 1.4 says about a batch deployment beyond the shape of its fields. */
export function batchDeploymentProblems(spec: BatchDeploymentSpec, context: BatchDeploymentContext): SpecProblem[] {
  const { current, references } = context;
  return [
    ...endpointProblems({ ...context, endpointKind: 'batch-endpoint', isNew: current === undefined }),
    ...typeProblems(spec, current),
    ...readBatchSettings(spec.properties).problems,
    ...(spec.type === 'pipeline'
      ? componentProblems(spec.component, references.component)
      : [
          ...codelessProblems(spec, references),
          ...referenceProblems(spec, references),
          ...variableProblems(spec.environmentVariables),
        ]),
  ];
}

function typeProblems({ type }: BatchDeploymentSpec, current: BatchDeploymentSpec | undefined): SpecProblem[] {
  if (current === undefined || current.type === type) return [];
  return [{ path: 'type', problem: 'cannot be changed once the deployment exists', expected: current.type }];
}

function componentProblems(key: string, found: ComponentVersionSpec | undefined): SpecProblem[] {
  if (found === undefined) {
    const expected = 'a registered component, as name/version';
    return [{ path: 'component', problem: `there is no component '${key}'`, expected }];
  }
  const type = found.component['type'];
  if (type === 'pipeline') return [];
  return [{ path: 'component', problem: `is a ${String(type)} component`, expected: 'a component of type pipeline' }];
}
