import type { JobRecord } from '@mooring/domain';
import { present } from '../reading/present.ts';
import { datastoreUriOf, workspaceId, type Workspace } from './ids.ts';
import { jobMore, jobSystemData } from './job.ts';

/**
 * A job as the data plane of batch endpoints answers it (azureml-contract 6.1): what was asked, in the spelling of Azure's SDK,
 * with what came of it so far. What Azure has no field for is below `properties.mooring`.
 */
export function batchJobToArm(job: JobRecord, workspace: Workspace): Record<string, unknown> {
  const { settings, input } = job;
  return {
    id: `${workspaceId(workspace)}/jobs/${job.name}`,
    name: job.name,
    type: 'Microsoft.MachineLearningServices/workspaces/jobs',
    properties: present({
      status: job.status,
      displayName: job.displayName,
      experimentName: job.experimentName,
      tags: job.tags,
      properties: job.properties,
      inputData: {
        [input.name]: { jobInputType: input.type === 'uri_file' ? 'UriFile' : 'UriFolder', uri: input.uri },
      },
      outputData: { score: outputOf(job, workspace) },
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

function outputOf({ output, settings }: JobRecord, workspace: Workspace): Record<string, unknown> {
  const folder = `${output.container}/${output.folder}`;
  return settings.outputAction === 'append_row'
    ? { jobOutputType: 'UriFile', uri: datastoreUriOf(workspace, `${folder}/${settings.outputFileName}`) }
    : { jobOutputType: 'UriFolder', uri: datastoreUriOf(workspace, folder) };
}
