import { listDeployments } from '../../shared/deployments.ts';

export const command = listDeployments('online-deployment');
