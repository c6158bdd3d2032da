import { deleteDeployment } from '../../shared/deployments.ts';

export const command = deleteDeployment('batch-deployment', 'Delete a deployment; jobs that it made go on');
