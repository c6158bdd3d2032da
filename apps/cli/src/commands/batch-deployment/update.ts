import { updateDeployment } from '../../shared/deployments.ts';

export const command = updateDeployment(
  'batch-deployment',
  'Change a deployment; jobs that it made keep what they were made with',
  'mini_batch_size=20',
);
