export type { ArmResource, CallOptions, StoredResource, WriteOptions } from './arm-rest.ts';
export {
  createManagementClient,
  type AssetCollection,
  type EndpointKeys,
  type ExplainedRequest,
  type ListView,
  type ManagementClient,
  type PendingUpload,
} from './client.ts';
export type { JobVerification } from '@mooring/domain';
export type { BatchJob, JobListOptions } from './jobs.ts';
export type { Fetch } from './http.ts';
export type { Step, WaitOptions } from './operations.ts';
export { localWorkspace, workspacePath, type Workspace } from './workspace.ts';
export type { ApplyContext } from './apply/context.ts';
export { applyCode, applyData, applyEnvironment, applyModel, resolveReference, uploadInput } from './apply/assets.ts';
export { applyBatchDeployment, applyBatchEndpoint, setDefaultDeployment } from './apply/batch.ts';
export { applyComponent } from './apply/components.ts';
export { existing } from './apply/endpoint.ts';
export { applyDeployment, applyEndpoint, updateTraffic, writable, type TrafficTables } from './apply/online.ts';
export { whileStale } from './apply/while-stale.ts';
export { downloadBlob, type BlobDownload, type DownloadOptions } from './download/blob.ts';
export { downloadFolder } from './download/folder.ts';
export { downloadJobOutput, type DownloadedFiles } from './download/job-output.ts';
export { submitJob, type JobCall } from './submit-job.ts';
export { checkScriptSyntax } from './script-syntax.ts';
export { score, type ScoreAnswer, type ScoreCall } from './score.ts';
export { scanUpload, type UploadFile, type UploadSet } from './upload/scan.ts';
export { sendUpload, type SendOptions, type UploadProgress } from './upload/send.ts';
