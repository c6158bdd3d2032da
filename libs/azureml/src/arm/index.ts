export { batchJobToArm } from './batch-job.ts';
export { armFromResource, specFromArm } from './convert.ts';
export type { ArmContext } from './envelope.ts';
export { datastoreUriOf, resourceId, resourceType, workspaceId, type Workspace } from './ids.ts';
export { jobToArm, type JobMore } from './job.ts';
export { armPathOf } from './paths.ts';
