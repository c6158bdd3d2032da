export { changeAsset, loadValue, loadYaml, type LoadOptions } from './load-yaml.ts';
export {
  loadInvocation,
  localPathOf,
  type BatchInvocation,
  type InvocationFlags,
  type InvocationInput,
} from './load-invocation.ts';
export type { AssetChange } from './kinds/asset-change.ts';
export type { Changes } from './changes.ts';
export type {
  ArmBody,
  BatchDeploymentDraft,
  BatchEndpointDraft,
  ComponentCode,
  ComponentDraft,
  DataDraft,
  DeploymentDraft,
  Draft,
  DraftByKind,
  EndpointDraft,
  EnvironmentDraft,
  LocalFiles,
  ModelDraft,
  ScoringCode,
  Source,
  YamlKind,
} from './drafts.ts';
export type { AssetReference, AssetType } from '../reading/references.ts';
export { jobShapeOf } from './job-shape.ts';
export type { ScriptCheck } from './local-files.ts';
export { yamlShapeOf, type ShapeKind } from './shapes.ts';
export { isoFromMs, isoFromSeconds, msFromIso } from '../reading/durations.ts';
