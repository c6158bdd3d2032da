/** The workspace that all paths lie in; a self-hosted platform has one. */
export interface Workspace {
  subscription: string;
  resourceGroup: string;
  workspace: string;
}

export const localWorkspace: Workspace = { subscription: 'local', resourceGroup: 'local', workspace: 'default' };

/** ARM path of the workspace, azureml-contract 3.3's `{WS}`. */
export function workspacePath(workspace: Workspace = localWorkspace): string {
  const { subscription, resourceGroup } = workspace;
  return (
    `/subscriptions/${encodeURIComponent(subscription)}/resourceGroups/${encodeURIComponent(resourceGroup)}` +
    `/providers/Microsoft.MachineLearningServices/workspaces/${encodeURIComponent(workspace.workspace)}`
  );
}
