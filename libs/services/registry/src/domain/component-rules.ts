import { assetKeyOf, componentOf } from '@mooring/azureml/component';
import {
  linkProblems,
  type ComponentVersionSpec,
  type PipelineComponent,
  type SpecProblem,
  type StepComponent,
} from '@mooring/domain';
import type { DeploymentPart } from './delete-rules.ts';

/** A component by itself: its problems, and of a pipeline which component each step has, as `name/version` or `name@latest`. */
export function componentParts(spec: ComponentVersionSpec['component']): {
  pipeline: PipelineComponent | undefined;
  keys: ReadonlyMap<string, string>;
  problems: SpecProblem[];
} {
  const { component, problems } = componentOf(spec, 'component');
  const keys = new Map<string, string>();
  if (component?.type !== 'pipeline') return { pipeline: undefined, keys, problems };
  for (const [step, { component: reference }] of Object.entries(component.steps)) {
    const path = `component.jobs.${step}.componentId`;
    const key = reference === undefined ? undefined : assetKeyOf('components', reference);
    if (key !== undefined) keys.set(step, key);
    else if (reference === undefined)
      problems.push({ path, problem: 'is missing', expected: 'a value: it is required' });
    else problems.push({ path, problem: 'is not allowed', expected: 'the ARM id of a version of a component' });
  }
  return { pipeline: component, keys, problems };
}

/** What is wrong between a pipeline and the components of its steps as they are stored; undefined where there is none. */
export function pipelineProblems(
  pipeline: PipelineComponent,
  stored: ReadonlyMap<string, ComponentVersionSpec | undefined>,
): SpecProblem[] {
  const problems: SpecProblem[] = [];
  const components = new Map<string, StepComponent>();
  for (const [step, spec] of stored) {
    const path = `component.jobs.${step}.componentId`;
    const component = spec && componentOf(spec.component, 'component').component;
    if (spec === undefined) {
      const expected = 'a registered component; register it first';
      problems.push({ path, problem: 'names a component that is not there', expected });
    } else if (component === undefined || component.type === 'pipeline') {
      const problem = `names a component that no step can have (${String(spec.component['type'])})`;
      problems.push({ path, problem, expected: 'a command or parallel component' });
    } else components.set(step, component);
  }
  const linked = linkProblems(pipeline, components).map((one) => ({ ...one, path: `component.${one.path}` }));
  return [...problems, ...linked];
}

/** Versions that a component names; what it takes as the newest may be any. */
export function partsOf(spec: ComponentVersionSpec['component']): DeploymentPart[] {
  const { component } = componentOf(spec, 'component');
  const keyOf = (type: 'components' | 'codes' | 'environments', reference: string | undefined): string | undefined =>
    reference === undefined ? undefined : assetKeyOf(type, reference);
  if (component === undefined) return [];
  if (component.type === 'pipeline') {
    const keys = Object.values(component.steps).map((step) => keyOf('components', step.component));
    return keys.flatMap((key) => (key === undefined ? [] : [{ component: key }]));
  }
  const [codeKey, environment] = [keyOf('codes', component.code), keyOf('environments', component.environment)];
  const code = codeKey === undefined ? {} : { code: { codeKey } };
  return [{ ...code, ...(environment === undefined ? {} : { environment }) }];
}
