/** Online endpoints and deployments as the registry stores them: Azure ML's shape, defaults filled in, units in names. */

export type AuthMode = 'key' | 'aml_token' | 'aad_token';

/** Deployment name (lower case) to percent. A deployment that is absent gets none. */
export type TrafficTable = Readonly<Record<string, number>>;

export interface OnlineEndpointSpec {
  description?: string;
  tags: Readonly<Record<string, string>>;
  properties: Readonly<Record<string, string>>;
  authMode: AuthMode;
  /** Live requests: sums to 0 or 100. */
  traffic: TrafficTable;
  /** Share of the live requests that is copied to a deployment: 0..50 each. */
  mirrorTraffic: TrafficTable;
  publicNetworkAccess: 'enabled' | 'disabled';
  identity?: { type: string };
}

export interface RequestSettings {
  /** How long one request may take, queueing included; 1..180000. */
  requestTimeoutMs: number;
  maxConcurrentRequestsPerInstance: number;
  maxQueueWaitMs: number;
}

export interface ProbeSettings {
  initialDelayS: number;
  periodS: number;
  timeoutS: number;
  successThreshold: number;
  failureThreshold: number;
}

export interface OnlineDeploymentSpec {
  description?: string;
  tags: Readonly<Record<string, string>>;
  /** Azure's free-form properties. Keys that begin with `mooring.` set what Azure has no field for (batching, limits). */
  properties: Readonly<Record<string, string>>;
  /** Key of a model version, `name/version`. */
  model?: string;
  /** Absent for an ONNX model that is served without code. */
  code?: { codeKey: string; scoringScript: string };
  /** Key of an environment version, `name/version`. */
  environment?: string;
  /** May hold secrets: sealed at rest, never shown in logs. */
  environmentVariables: Readonly<Record<string, string>>;
  modelMountPath?: string;
  instanceType: string;
  instanceCount: number;
  appInsightsEnabled: boolean;
  egressPublicNetworkAccess: 'enabled' | 'disabled';
  requestSettings: RequestSettings;
  livenessProbe: ProbeSettings;
  readinessProbe: ProbeSettings;
  scaleSettings: { type: 'default' };
  /** Kept and returned; what it asks for is a later capability. */
  dataCollector?: unknown;
}

export interface ModelVersionSpec {
  description?: string;
  tags: Readonly<Record<string, string>>;
  properties: Readonly<Record<string, string>>;
  type: 'custom_model' | 'mlflow_model' | 'triton_model';
  /** Where the files are in the artifact store: `container/prefix`, a file or a folder. */
  path: string;
  stage?: string;
  /** MLflow's own words about the model: carried, not read. */
  flavors?: Readonly<Record<string, unknown>>;
  isAnonymous: boolean;
  isArchived: boolean;
}

export interface EnvironmentVersionSpec {
  description?: string;
  tags: Readonly<Record<string, string>>;
  properties: Readonly<Record<string, string>>;
  image?: string;
  /** Text of the conda YAML. */
  condaFile?: string;
  build?: { contextPath: string; dockerfilePath: string };
  osType: 'linux' | 'windows';
  isAnonymous: boolean;
  isArchived: boolean;
}

export interface CodeVersionSpec {
  description?: string;
  tags: Readonly<Record<string, string>>;
  properties: Readonly<Record<string, string>>;
  path: string;
  isAnonymous: boolean;
  isArchived: boolean;
}

export const requestSettingsDefaults: RequestSettings = {
  requestTimeoutMs: 5000,
  maxConcurrentRequestsPerInstance: 1,
  maxQueueWaitMs: 500,
};

export const probeDefaults: ProbeSettings = {
  initialDelayS: 10,
  periodS: 10,
  timeoutS: 2,
  successThreshold: 1,
  failureThreshold: 30,
};
