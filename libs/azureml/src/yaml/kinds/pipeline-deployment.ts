import { readBatchSettings } from '@mooring/domain';
import { pipelineSettings } from '../../reading/batch-values.ts';
import { isObject, later, object, required, text, type Field, type Reading } from '../../reading/fields.ts';
import { present } from '../../reading/present.ts';
import type { BatchDeploymentDraft } from '../drafts.ts';
import type { LocalContext } from '../local-files.ts';
import { commonFields, endpointName } from './common.ts';
import { componentSource } from './component.ts';
import { has } from './deployment-parts.ts';

const choiceOfType = text({ test: (type) => type.toLowerCase() === 'pipeline', expected: 'pipeline' });
const anything: Field<unknown> = { read: (value) => value };
const ofModels: Field<never> = {
  hidden: true,
  read: (_value, path, reading) => {
    const expected = 'nothing beside component, or a deployment of type: model without it';
    reading.problems.push({ path, problem: 'is for deployments of a model', expected });
    return undefined;
  },
};

const deployment = object(
  {
    name: required(endpointName),
    endpoint_name: required(endpointName),
    type: choiceOfType,
    component: anything,
    job_definition: later('pipelines made of a job (job_definition)'),
    settings: pipelineSettings,
    model: ofModels,
    code_configuration: ofModels,
    environment: ofModels,
    environment_variables: ofModels,
    compute: ofModels,
    resources: ofModels,
    mini_batch_size: ofModels,
    ...commonFields,
  },
  'a pipeline deployment',
);

/** Whether a batch deployment's file is one of a pipeline. */
export function isPipelineDeployment(value: unknown): boolean {
  if (!isObject(value)) return false;
  const type = value['type'];
  if (typeof type === 'string') return type.toLowerCase() === 'pipeline';
  return has(value, 'component') || has(value, 'job_definition');
}

/** azureml-contract 1.4, the component and its files included. Undefined when a problem was noted. */
export async function readPipelineDeployment(
  value: unknown,
  reading: Reading,
  context: LocalContext,
): Promise<BatchDeploymentDraft | undefined> {
  const read = deployment.read(value, '', reading);
  if (read === undefined) return undefined;
  reading.problems.push(...readBatchSettings(read.properties ?? {}).problems);
  if (!has(value, 'component') && !has(value, 'job_definition'))
    reading.problems.push({ path: 'component', problem: 'is missing', expected: 'a value: it is required' });
  const before = reading.problems.length;
  const component = has(value, 'component')
    ? await componentSource(read.component, 'component', reading, context)
    : undefined;
  if (component?.component !== undefined && component.component.type !== 'pipeline') {
    const problem = `is a ${component.component.type} component`;
    reading.problems.push({ path: 'component', problem, expected: 'a component of type: pipeline' });
  }
  if (before > 0 || reading.problems.length > 0) return undefined;
  if (read.name === undefined || read.endpoint_name === undefined || component === undefined) return undefined;
  return {
    kind: 'batch-deployment',
    name: read.name,
    endpointName: read.endpoint_name,
    component: component.source,
    body: {
      location: 'local',
      tags: read.tags ?? {},
      properties: present({
        description: read.description,
        properties: read.properties ?? {},
        deploymentConfiguration: {
          deploymentConfigurationType: 'PipelineComponent',
          // Azure's bodies have texts here.
          settings: Object.fromEntries(Object.entries(read.settings ?? {}).map(([name, one]) => [name, String(one)])),
        },
      }),
    },
  };
}
