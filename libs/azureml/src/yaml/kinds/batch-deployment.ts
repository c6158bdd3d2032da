import { readBatchSettings } from '@mooring/domain';
import type { Reading } from '../../reading/fields.ts';
import { present } from '../../reading/present.ts';
import type { ArmBody, BatchDeploymentDraft } from '../drafts.ts';
import type { LocalContext } from '../local-files.ts';
import {
  batchDeployment,
  jobFieldNames,
  jobProperties,
  type BatchDeploymentValues,
  type JobValues,
} from './batch-deployment-fields.ts';
import { noteCodeless, readSources } from './deployment-parts.ts';
import { isPipelineDeployment, readPipelineDeployment } from './pipeline-deployment.ts';

/** azureml-contract 1.4, local files included. Undefined when a problem was noted. */
export async function readBatchDeployment(
  value: unknown,
  reading: Reading,
  context: LocalContext,
): Promise<BatchDeploymentDraft | undefined> {
  if (isPipelineDeployment(value)) return readPipelineDeployment(value, reading, context);
  const read = batchDeployment.read(value, '', reading);
  if (read === undefined) return undefined;
  noteCodeless(read.model, value, reading);
  reading.problems.push(...readBatchSettings(read.properties ?? {}).problems);
  const job = jobOf(read, reading);
  const instanceCount = once('instance_count', read.resources?.instance_count, read.settings?.instance_count, reading);
  const variables = once(
    'environment_variables',
    read.environment_variables,
    read.settings?.environment_variables,
    reading,
  );
  dropProblemsOfAnotherType(reading);
  if (reading.problems.some((problem) => problem.later)) return undefined;
  const { code, model, environment } = await readSources(read, reading, context);
  if (read.name === undefined || read.endpoint_name === undefined || model === undefined) return undefined;
  if (reading.problems.length > 0) return undefined;
  return {
    kind: 'batch-deployment',
    name: read.name,
    endpointName: read.endpoint_name,
    body: bodyOf(read, job, { instanceCount, variables }),
    model,
    ...present({ environment, code }),
  } as BatchDeploymentDraft;
}

/** A pipeline deployment or an online one has other rules; what these say of it would only mislead. */
function dropProblemsOfAnotherType(reading: Reading): void {
  const type = reading.problems.find(({ problem }) => problem.startsWith('is for '));
  if (type !== undefined) reading.problems.splice(0, reading.problems.length, type);
}

/** Azure's client prints the older form and takes the newer one, so that both may meet in one file, but not disagree. */
function jobOf(read: BatchDeploymentValues, reading: Reading): JobValues {
  const entries = jobFieldNames.map((name) => [name, once(name, read[name], read.settings?.[name], reading)]);
  const job = Object.fromEntries(entries) as JobValues;
  if (job.output_action === 'SummaryOnly' && job.output_file_name !== undefined) {
    const path = read.output_file_name === undefined ? 'settings.output_file_name' : 'output_file_name';
    const problem = 'is of a file that output_action summary_only does not write';
    reading.problems.push({ path, problem, expected: 'append_row, or no output_file_name' });
  }
  return job;
}

function once<T>(name: string, root: T | undefined, below: T | undefined, reading: Reading): T | undefined {
  if (root !== undefined && below !== undefined && JSON.stringify(root) !== JSON.stringify(below)) {
    const problem = 'is also set outside of settings, to another value';
    reading.problems.push({ path: `settings.${name}`, problem, expected: 'one of the two' });
  }
  return below ?? root;
}

interface Merged {
  instanceCount: number | undefined;
  variables: Record<string, string> | undefined;
}

/** What the file says as a REST body; the assets that it names are not in it yet. */
function bodyOf(read: BatchDeploymentValues, job: JobValues, { instanceCount, variables }: Merged): ArmBody {
  return {
    location: 'local',
    tags: read.tags ?? {},
    properties: present({
      description: read.description,
      properties: read.properties ?? {},
      environmentVariables: variables ?? {},
      compute: read.compute,
      resources: instanceCount === undefined ? undefined : { instanceCount, properties: {} },
      ...jobProperties(job),
    }),
  };
}
