import { listDeployments } from '../../shared/deployments.ts';

export const command = listDeployments('batch-deployment');
