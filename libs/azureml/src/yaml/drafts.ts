import type { AssetReference } from '../reading/references.ts';

/** A resource as ARM's REST takes it, without what only the server sets. */
export interface ArmBody {
  location?: string;
  tags?: Record<string, string>;
  identity?: { type: string };
  sku?: { name: string; capacity: number };
  properties: Record<string, unknown>;
}

/** Files that must be uploaded before the body is whole: an absolute path, and the name they keep in the store. */
export interface LocalFiles {
  path: string;
  name: string;
}

export interface EndpointDraft {
  kind: 'online-endpoint';
  name: string;
  body: ArmBody;
}

/** `body.properties.modelUri` is set once `files` are uploaded. */
export interface ModelDraft {
  kind: 'model';
  /** Absent for an anonymous model of a deployment. */
  name?: string;
  /** Absent when the next free version is meant. */
  version?: string;
  files: LocalFiles;
  body: ArmBody;
}

/** `body.properties.build.contextUri` is set once `buildContext` is uploaded. */
export interface EnvironmentDraft {
  kind: 'environment';
  name?: string;
  version?: string;
  buildContext?: LocalFiles;
  body: ArmBody;
}

export type Source<D> = { reference: AssetReference } | { inline: D };

/** `body.properties` lacks `model`, `environmentId` and `codeConfiguration.codeId` until their sources are stored. */
export interface DeploymentDraft {
  kind: 'online-deployment';
  name: string;
  endpointName: string;
  body: ArmBody;
  model?: Source<ModelDraft>;
  environment?: Source<EnvironmentDraft>;
  code?: ScoringCode;
}

export interface ScoringCode {
  source: { reference: AssetReference } | { files: LocalFiles };
  scoringScript: string;
}

export interface BatchEndpointDraft {
  kind: 'batch-endpoint';
  name: string;
  body: ArmBody;
}

/**
 * `body.properties` lacks `model`, `environmentId` and `codeConfiguration`, or `deploymentConfiguration.componentId`, until their sources
 * are stored.
 */
export interface BatchDeploymentDraft {
  kind: 'batch-deployment';
  name: string;
  endpointName: string;
  body: ArmBody;
  /** Of a deployment of a model. */
  model?: Source<ModelDraft>;
  /** Of a pipeline deployment, which has nothing else. */
  component?: Source<ComponentDraft>;
  environment?: Source<EnvironmentDraft>;
  code?: ScoringCode;
}

/** `body.properties.dataUri` is set once `files` are uploaded; without files it is there already. */
export interface DataDraft {
  kind: 'data';
  name: string;
  /** Absent when the next free version is meant. */
  version?: string;
  files?: LocalFiles;
  body: ArmBody;
}

export type ComponentCode = { reference: AssetReference } | { files: LocalFiles };

/**
 * `body.properties.componentSpec` lacks `code` and `environment` (a parallel component's are in its `task`) and the `componentId` of each
 * step until their sources are stored.
 */
export interface ComponentDraft {
  kind: 'component';
  /** Absent for an anonymous component of a deployment or a step. */
  name?: string;
  /** Absent when the next free version is meant. */
  version?: string;
  code?: ComponentCode;
  environment?: Source<EnvironmentDraft>;
  /** Of a pipeline, by the step's name. */
  steps?: Record<string, Source<ComponentDraft>>;
  body: ArmBody;
}

export interface DraftByKind {
  'online-endpoint': EndpointDraft;
  'online-deployment': DeploymentDraft;
  'batch-endpoint': BatchEndpointDraft;
  'batch-deployment': BatchDeploymentDraft;
  model: ModelDraft;
  environment: EnvironmentDraft;
  data: DataDraft;
  component: ComponentDraft;
}

export type YamlKind = keyof DraftByKind;
export type Draft = DraftByKind[YamlKind];
