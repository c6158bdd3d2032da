import type { RequestSettings } from './online.ts';
import type { ModelPlacement } from './records.ts';
import type { MooringSettings } from './settings.ts';

/**
 * What the controller hands to a scorer process, as JSON on its standard input (it may hold secrets, so it is never a
 * file). Every path is absolute.
 */
export interface InstanceSpec {
  instanceId: string;
  endpoint: string;
  deployment: string;
  /** Where the scorer listens for scoring streams, health and reflection. */
  socketPath: string;
  /** Where it writes `status.json` (InstanceStatus). Its stdout and stderr are its log. */
  instanceDir: string;
  model?: { name: string; version: string; path: string; digest: string };
  runtime: OnnxRuntimeSpec | PythonRuntimeSpec;
  /** The user's own variables. */
  environmentVariables: Readonly<Record<string, string>>;
  requestSettings: RequestSettings;
  settings: MooringSettings;
  /** Threads that one model run may use. */
  threads: number;
  /** The scorer ends itself when nobody probed it and no stream was open for this long. */
  orphanTimeoutMs: number;
}

export interface OnnxRuntimeSpec {
  kind: 'onnx';
  /** The .onnx file. */
  file: string;
}

export interface PythonRuntimeSpec {
  kind: 'python';
  /** The environment's own interpreter. */
  interpreter: string;
  codeDir: string;
  /** Relative to codeDir. */
  scoringScript: string;
  /** Parent of the model's file or folder: Azure's AZUREML_MODEL_DIR. */
  modelDir?: string;
  workerCount: number;
}

/** `status.json` in the instance's folder, replaced atomically: what a probe cannot say once the process is gone. */
export interface InstanceStatus {
  state: 'loading' | 'ready' | 'failed';
  /** With `failed`: one of Azure's codes (azureml-contract 3.2.6), such as `UserScriptInitFailed`. */
  code?: string;
  message?: string;
  /** True when starting again would fail in the same way: a bad model file, an error in `init()`. */
  permanent?: boolean;
  /** With `ready`: where the model runs. */
  placement?: ModelPlacement;
}
