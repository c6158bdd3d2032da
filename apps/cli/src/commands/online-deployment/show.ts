import { showDeployment } from '../../shared/deployments.ts';

export const command = showDeployment('online-deployment');
