import type { JobRecord } from '@mooring/domain';
import { workspaceId, type Workspace } from './ids.ts';
import { inputsOfJob, outputsOfJob } from './job-data.ts';

/**
 * A batch job as the control plane's `jobs` answers it: azureml-contract 3.4 `PipelineJob`, with what its section 6.2 says that Azure's
 * SDK looks for. What Azure has no field for is below `properties.mooring`. `managementUrl` is the base of this REST's addresses.
 */
export function jobToArm(job: JobRecord, workspace: Workspace, managementUrl: string): Record<string, unknown> {
  const id = `${workspaceId(workspace)}/jobs/${job.name}`;
  return {
    id,
    name: job.name,
    type: 'Microsoft.MachineLearningServices/workspaces/jobs',
    properties: {
      jobType: 'Pipeline',
      status: job.status,
      displayName: job.displayName,
      ...(job.description === undefined ? {} : { description: job.description }),
      experimentName: job.experimentName,
      isArchived: false,
      services: {
        Tracking: { jobServiceType: 'Tracking', endpoint: managementUrl },
        Studio: { jobServiceType: 'Studio', endpoint: `${managementUrl}${id}` },
      },
      // By this the SDK looks for the output below the name `score`.
      tags: { ...job.tags, 'azureml.batchrun': 'true' },
      properties: job.properties,
      settings: {},
      jobs: stepsOf(job),
      inputs: Object.fromEntries(
        inputsOfJob(job).map(([name, { type, ...data }]) => {
          const mode = 'uri' in data ? { mode: 'ReadOnlyMount' } : {};
          return [name, { jobInputType: type, ...mode, ...data }];
        }),
      ),
      outputs: Object.fromEntries(
        outputsOfJob(job, workspace).map(([name, { type, ...data }]) => [
          name,
          { jobOutputType: type, mode: 'ReadWriteMount', ...data },
        ]),
      ),
      mooring: jobMore(job),
    },
    systemData: jobSystemData(job),
  };
}

/** The steps of a pipeline; each has a job of its own, by the name that stands here. */
function stepsOf({ name, pipeline }: JobRecord): Record<string, unknown> {
  return Object.fromEntries(
    (pipeline?.steps ?? []).map(({ name: step, runs }) => [
      step,
      { type: runs.command === undefined ? 'parallel' : 'command', name: `${name}:${step}` },
    ]),
  );
}

const more = [
  'endpoint',
  'deployment',
  'attempt',
  'since',
  'startedAt',
  'endedAt',
  'error',
  'progress',
  'listing',
  'usage',
  'settings',
  'model',
  'ran',
  'output',
] as const satisfies readonly (keyof JobRecord)[];

/** What Azure's shapes of a job have no place for: these fields of the document, where it has them. */
export type JobMore = Pick<JobRecord, (typeof more)[number]>;

export function jobMore(job: JobRecord): JobMore {
  return Object.fromEntries(
    more.filter((field) => job[field] !== undefined).map((field) => [field, job[field]]),
  ) as never;
}

/** It changed last when it came to its present status. */
export function jobSystemData(job: JobRecord): Record<string, unknown> {
  return {
    createdAt: job.createdAt,
    createdBy: job.createdBy,
    createdByType: 'User',
    lastModifiedAt: job.since,
    lastModifiedBy: job.createdBy,
    lastModifiedByType: 'User',
  };
}
