import { showDeployment } from '../../shared/deployments.ts';

export const command = showDeployment('batch-deployment');
