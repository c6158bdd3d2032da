import { updateDeployment } from '../../shared/deployments.ts';

export const command = updateDeployment(
  'online-deployment',
  'Change a deployment; its old instances serve until the new ones are ready',
  'instance_count=2',
);
