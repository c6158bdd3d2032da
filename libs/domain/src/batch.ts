/** Batch endpoints and deployments, data and components, as the registry stores them (azureml-contract 1.4, 1.6, 1.7). */

export interface BatchEndpointSpec {
  description?: string;
  tags: Readonly<Record<string, string>>;
  properties: Readonly<Record<string, string>>;
  /** Azure knows no other. What callers show is a key of the endpoint until tokens are a capability. */
  authMode: 'aad_token';
  /** The deployment of a job that names none, in lower case; a job must name one while it is absent. */
  defaultDeployment?: string;
}

export type BatchDeploymentSpec = ModelBatchDeploymentSpec | PipelineBatchDeploymentSpec;

interface BatchDeploymentBase {
  description?: string;
  tags: Readonly<Record<string, string>>;
  /** Azure's free-form properties. Keys that begin with `mooring.` set what Azure has no field for. */
  properties: Readonly<Record<string, string>>;
}

export interface ModelBatchDeploymentSpec extends BatchDeploymentBase {
  type: 'model';
  /** Key of a model version, `name/version`. */
  model: string;
  /** Absent for an ONNX model that is run without code, over the rows of tabular files. */
  code?: { codeKey: string; scoringScript: string };
  /** Key of an environment version, `name/version`. */
  environment?: string;
  /** May hold secrets: sealed at rest, never shown in logs. */
  environmentVariables: Readonly<Record<string, string>>;
  /** Name of a compute, as the user wrote it; this machine serves all of them. */
  compute: string;
  /** What a job takes unless it says otherwise. */
  job: BatchJobSettings;
}

export interface PipelineBatchDeploymentSpec extends BatchDeploymentBase {
  type: 'pipeline';
  /** Key of a component version, `name/version`. */
  component: string;
  settings: {
    defaultCompute?: string;
    defaultDatastore?: string;
    continueOnStepFailure: boolean;
    forceRerun: boolean;
    experimentName?: string;
  };
}

export interface BatchJobSettings {
  /** Nodes of Azure: processes that may score at once are `instanceCount x maxConcurrencyPerInstance`; 1..64. */
  instanceCount: number;
  /** 1..64. */
  maxConcurrencyPerInstance: number;
  /** Files that one `run()` gets; 1..100000. */
  miniBatchSize: number;
  outputAction: 'append_row' | 'summary_only';
  /** A plain file name. */
  outputFileName: string;
  retrySettings: {
    /** Further runs of a mini-batch that raised, hung or lost its process; 0..100. */
    maxRetries: number;
    /** Of one run of one mini-batch; 1..86400. */
    timeoutS: number;
  };
  /** Failed items of the whole input that a job may have and still complete; -1: any number. */
  errorThreshold: number;
  loggingLevel: 'debug' | 'info' | 'warning';
}

/** Azure's own defaults (azureml-contract 1.4). */
export const batchJobDefaults: BatchJobSettings = {
  instanceCount: 1,
  maxConcurrencyPerInstance: 1,
  miniBatchSize: 10,
  outputAction: 'append_row',
  outputFileName: 'predictions.csv',
  retrySettings: { maxRetries: 3, timeoutS: 30 },
  errorThreshold: -1,
  loggingLevel: 'info',
};

/** Smallest and largest values of settings of a job, wherever they are given. */
export const batchRanges = {
  instanceCount: [1, 64],
  maxConcurrencyPerInstance: [1, 64],
  miniBatchSize: [1, 100_000],
  maxRetries: [0, 100],
  timeoutS: [1, 86_400],
  errorThreshold: [-1, 2 ** 31 - 1],
} as const satisfies Record<string, readonly [number, number]>;

/** Files of every job's output: no predictions and no file of a script may have such a name. */
export const ownOutputFiles: ReadonlySet<string> = new Set([
  'errors.jsonl',
  'parts.jsonl',
  'summary.json',
  'manifest.json',
]);

/** The file that predictions are gathered in: a name, for it lies in the folder of the job's output. */
export const outputFileNameRule = {
  test: (name: string): boolean =>
    name !== '.' &&
    name !== '..' &&
    Buffer.byteLength(name) <= 255 &&
    /^[^/\\\p{Cc}]+$/u.test(name) &&
    !ownOutputFiles.has(name.toLowerCase()),
  expected: `a plain file name of at most 255 bytes, none of ${[...ownOutputFiles].join(', ')}`,
};

export interface DataVersionSpec {
  description?: string;
  tags: Readonly<Record<string, string>>;
  properties: Readonly<Record<string, string>>;
  type: 'uri_file' | 'uri_folder' | 'mltable';
  /** Where the files are in the artifact store: `container/prefix`. */
  path: string;
  isAnonymous: boolean;
  isArchived: boolean;
}

export interface ComponentVersionSpec {
  description?: string;
  tags: Readonly<Record<string, string>>;
  properties: Readonly<Record<string, string>>;
  /** `componentSpec` as Azure's SDK sends it: expressions as text, steps by `componentId`. */
  component: Readonly<Record<string, unknown>>;
  isAnonymous: boolean;
  isArchived: boolean;
}
