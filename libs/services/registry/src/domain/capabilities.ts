/** What comes later, in the words that a refusal names it by. */
export const kubernetes = 'Kubernetes as a compute target';
export const managedIdentities = 'identities managed by Azure (user_assigned)';
export const scaling = 'automatic scaling (target_utilization)';
export const ownContainers = 'containers of your own (inference_config)';
