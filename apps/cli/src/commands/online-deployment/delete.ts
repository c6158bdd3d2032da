import { deleteDeployment } from '../../shared/deployments.ts';

export const command = deleteDeployment('online-deployment', 'Delete a deployment that gets no live traffic');
