export type {
  AuthMode,
  CodeVersionSpec,
  EnvironmentVersionSpec,
  ModelVersionSpec,
  OnlineDeploymentSpec,
  OnlineEndpointSpec,
  ProbeSettings,
  RequestSettings,
  TrafficTable,
} from './online.ts';
export { probeDefaults, requestSettingsDefaults } from './online.ts';
export {
  batchJobDefaults,
  batchRanges,
  outputFileNameRule,
  ownOutputFiles,
  type BatchDeploymentSpec,
  type BatchEndpointSpec,
  type BatchJobSettings,
  type ComponentVersionSpec,
  type DataVersionSpec,
  type ModelBatchDeploymentSpec,
  type PipelineBatchDeploymentSpec,
} from './batch.ts';
export {
  jobStatuses,
  jobsBucket,
  miniBatchesBucket,
  type BatchLaunch,
  type CommandLaunch,
  type CommandRuntimeSpec,
  type InputFile,
  type ItemError,
  type JobInput,
  type JobOutput,
  type JobProgress,
  type JobRecord,
  type JobStatus,
  type JobStep,
  type JobTrouble,
  type JobUsage,
  type JobVerification,
  type MiniBatch,
  type MiniBatchMessage,
  type MiniBatchRecord,
  type PartFile,
  type PipelinePlan,
  type PlannedStep,
  type RowFormat,
  type RowRange,
  type StepRuns,
} from './job.ts';
export {
  deploymentKindOf,
  endpointKindOf,
  isAssetKind,
  isEndpointKind,
  isTerminal,
  resourceHistory,
  resourceKinds,
  resourcesBucket,
  type AssetKind,
  type DeploymentKind,
  type EndpointKind,
  type Operation,
  type ProvisioningState,
  type Resource,
  type ResourceKind,
  type SpecByKind,
  type Stored,
} from './resource.ts';
export type {
  BatchEndpointRecord,
  DeploymentRoute,
  EndpointCredentialsRecord,
  IdempotencyRecord,
  InlineBanRecord,
  InlineModel,
  InstanceRecord,
  InstanceState,
  KeyVerifier,
  MemberRecord,
  MirrorDifference,
  MirrorReportRecord,
  ModelPlacement,
  RoutingRecord,
  StoredAnswerRecord,
} from './records.ts';
export {
  batchEndpointsBucket,
  idempotencyBucket,
  inlineBansBucket,
  instancesBucket,
  isNativeCrash,
  membersBucket,
  mirrorBucket,
  routingBucket,
} from './records.ts';
export {
  isRequestId,
  requestIdRule,
  requestParts,
  type FoundRequests,
  type RequestPart,
  type RequestRecord,
  type RequestsKept,
} from './request-record.ts';
export {
  entryOf,
  type CommandComponent,
  type Component,
  type ComponentInput,
  type ComponentOutput,
  type DataType,
  type ParallelComponent,
  type ParallelSettings,
  type PipelineComponent,
  type PipelineStep,
  type StepComponent,
  type StepInput,
} from './pipeline/component.ts';
export { linkProblems, literalProblems, stepComponentProblems, type StepComponents } from './pipeline/link-pipeline.ts';
export {
  bindPipeline,
  type BoundInput,
  type BoundOutput,
  type BoundStep,
  type GivenInput,
} from './pipeline/bind-pipeline.ts';
export { givenParts, readCommandLine, type LinePart, type LineValues } from './pipeline/command-line.ts';
export type { Literal, LiteralRule, LiteralType } from './pipeline/literals.ts';
export { kindWords, notFound } from './not-found.ts';
export { laterProblem, refusal, type SpecProblem } from './later.ts';
export type { InstanceSpec, InstanceStatus, OnnxRuntimeSpec, PythonRuntimeSpec } from './instance.ts';
export { assetNameRule, endpointNameRule, isAssetName, isEndpointName, kvKey, namesOfKvKey } from './names.ts';
export { compileTraffic, mirrorProblems, pickDeployment, trafficProblems, type CompiledTraffic } from './traffic.ts';
export { checkIdempotencyKey } from './idempotency-key.ts';
export { readBatchSettings, type BatchSettings } from './batch-settings.ts';
export { readMooringSettings, type MooringSettings, type Placement } from './settings.ts';
export { hiddenQuery, withoutQuery } from './web-address.ts';
