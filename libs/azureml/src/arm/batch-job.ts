import type { JobRecord } from '@mooring/domain';
import { present } from '../reading/present.ts';
import { datastoreUriOf, workspaceId, type Workspace } from './ids.ts';
import { inputsOfJob, outputsOfJob } from './job-data.ts';
import { jobMore, jobSystemData } from './job.ts';

/**
 * A job as the data plane of batch endpoints answers it (azureml-contract 6.1): what was asked, in the spelling of Azure's SDK,
 * with what came of it so far. What Azure has no field for is below `properties.mooring`.
 */
export function batchJobToArm(job: JobRecord, workspace: Workspace): Record<string, unknown> {
  const { settings } = job;
  return {
    id: `${workspaceId(workspace)}/jobs/${job.name}`,
    name: job.name,
    type: 'Microsoft.MachineLearningServices/workspaces/jobs',
    properties: present({
      status: job.status,
      displayName: job.displayName,
      description: job.description,
      experimentName: job.experimentName,
      tags: job.tags,
      properties: job.properties,
      inputData: Object.fromEntries(
        inputsOfJob(job).map(([name, { type, ...data }]) => [name, { jobInputType: pascal(type), ...data }]),
      ),
      outputData: Object.fromEntries(outputDataOf(job, workspace)),
      miniBatchSize: settings.miniBatchSize,
      errorThreshold: settings.errorThreshold,
      retrySettings: {
        maxRetries: settings.retrySettings.maxRetries,
        timeout: `PT${settings.retrySettings.timeoutS}S`,
      },
      compute: { instanceCount: settings.instanceCount },
      loggingLevel: settings.loggingLevel,
      outputFileName: settings.outputFileName,
      interactionEndpoints: {},
      mooring: jobMore(job),
    }),
    systemData: jobSystemData(job),
  };
}

function outputDataOf(job: JobRecord, workspace: Workspace): [string, Record<string, unknown>][] {
  const { pipeline, settings, output } = job;
  if (pipeline !== undefined || settings.outputAction !== 'append_row') {
    return outputsOfJob(job, workspace).map(([name, { type, ...data }]) => [
      name,
      { jobOutputType: pascal(type), ...data },
    ]);
  }
  const file = `${output.container}/${output.folder}/${settings.outputFileName}`;
  return [['score', { jobOutputType: 'UriFile', uri: datastoreUriOf(workspace, file) }]];
}

/** `uri_folder` as the data plane spells it: `UriFolder`. */
function pascal(type: string): string {
  return type.replace(/(?:^|_)([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}
