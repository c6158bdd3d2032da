import { workspaceId } from '@mooring/azureml/arm';
import { ok, type Handler } from '../http/call.ts';
import { location } from './resource.ts';

/** The one workspace, under whatever names the caller uses; nearly every client reads it first. */
export const getWorkspace: Handler = (call) => {
  const { workspace, baseUrl } = call;
  const id = workspaceId(workspace);
  return ok({
    id,
    name: workspace.workspace,
    type: 'Microsoft.MachineLearningServices/workspaces',
    location,
    tags: {},
    kind: 'Default',
    properties: {
      friendlyName: workspace.workspace,
      workspaceId: '00000000-0000-0000-0000-000000000001',
      discoveryUrl: `${baseUrl}/discovery`,
      mlFlowTrackingUri: `${baseUrl.replace(/^http/, 'azureml')}/mlflow/v1.0${id}`,
      provisioningState: 'Succeeded',
      publicNetworkAccess: 'Enabled',
    },
  });
};
