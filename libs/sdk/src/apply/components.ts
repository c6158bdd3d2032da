import { createHash } from 'node:crypto';
import type { ComponentDraft, Source } from '@mooring/azureml/yaml';
import { asObject } from '../arm-error.ts';
import type { StoredResource } from '../arm-rest.ts';
import { applyCode, applyEnvironment, idOfSource, nextVersion, resolveReference, uuidOf } from './assets.ts';
import type { ApplyContext } from './context.ts';

/**
 * Stores a component's version, its code, its environment and the components of its steps before it. Without a name it is anonymous, its
 * version made of its content, so that the same files are one component however often they are deployed (azureml-contract 1.6).
 */
export async function applyComponent(draft: ComponentDraft, context: ApplyContext): Promise<StoredResource> {
  const componentSpec = await wholeSpec(draft, context);
  const name = draft.name ?? 'azureml_anonymous';
  const version =
    draft.version ??
    (draft.name === undefined ? uuidOf(digestOf(componentSpec)) : await nextVersion('components', name, context));
  context.onStep?.({ step: `storing component ${name}:${version}` });
  const body = { ...draft.body, properties: { ...draft.body.properties, componentSpec } };
  return context.client.assets('components').putVersion(name, version, body, { ...context, wait: true });
}

/** The ARM id of a component, checked to exist or stored now. */
export function idOfComponent(
  source: Source<ComponentDraft> | undefined,
  context: ApplyContext,
): Promise<string | undefined> {
  return idOfSource(source, (inline) => applyComponent(inline, context), context);
}

async function wholeSpec(draft: ComponentDraft, context: ApplyContext): Promise<Record<string, unknown>> {
  const { task, jobs, ...spec } = asObject(draft.body.properties['componentSpec']);
  const code = await codeOf(draft, asObject(task)['entry_script'], context);
  const environment = await idOfSource(draft.environment, (inline) => applyEnvironment(inline, context), context);
  const parts = {
    ...(code === undefined ? {} : { code: `azureml:${code}` }),
    ...(environment === undefined ? {} : { environment: `azureml:${environment}` }),
  };
  if (task !== undefined) return { ...spec, task: { ...asObject(task), ...parts } };
  if (jobs === undefined) return { ...spec, ...parts };
  const steps: [string, unknown][] = [];
  for (const [name, step] of Object.entries(asObject(jobs))) {
    const componentId = await idOfComponent(draft.steps?.[name], context);
    steps.push([name, { ...asObject(step), ...(componentId === undefined ? {} : { componentId }) }]);
  }
  return { ...spec, ...parts, jobs: Object.fromEntries(steps) };
}

async function codeOf({ code }: ComponentDraft, script: unknown, context: ApplyContext): Promise<string | undefined> {
  if (code === undefined) return undefined;
  if ('reference' in code) return resolveReference(code.reference, context);
  return applyCode(code.files, typeof script === 'string' ? script : undefined, context);
}

function digestOf(spec: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(spec)))
    .digest('hex');
}

/** The same content is the same text, whatever the order in which it was written. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, one]) => [name, sorted(one)]),
  );
}
