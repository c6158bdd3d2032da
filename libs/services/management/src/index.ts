export { managementModule } from './module.ts';
export { readManagementConfig, type ManagementConfig } from './config.ts';
export type { Management } from './management.ts';
