import type { BatchJobSettings } from '../batch.ts';
import type { Literal, LiteralRule } from './literals.ts';

/**
 * Components as a pipeline is made of them (azureml-contract 1.7). References to code, environments and other components are texts as
 * they were written; whoever knows the registry resolves them.
 */

export type DataType = 'uri_folder' | 'uri_file' | 'mltable' | 'custom_model' | 'mlflow_model' | 'triton_model';

export type ComponentInput = DataInput | LiteralInput;

export interface DataInput {
  kind: 'data';
  type: DataType;
  optional: boolean;
  /** The step gets the address instead of a path (`mode: direct`). */
  direct: boolean;
}

export interface LiteralInput extends LiteralRule {
  kind: 'literal';
  optional: boolean;
  default?: Literal;
}

export interface ComponentOutput {
  type: DataType;
}

interface ComponentBase {
  inputs: Readonly<Record<string, ComponentInput>>;
  outputs: Readonly<Record<string, ComponentOutput>>;
}

/** What runs once, as a command line. */
export interface CommandComponent extends ComponentBase {
  type: 'command';
  /** With `${{inputs.x}}`, `${{outputs.y}}` and optional parts in `$[[...]]`. */
  command: string;
  code?: string;
  environment?: string;
  environmentVariables: Readonly<Record<string, string>>;
  /** Of one run; Azure's `limits.timeout`. */
  timeoutS?: number;
}

/** What runs over the files of one input in mini-batches, as a model deployment does. */
export interface ParallelComponent extends ComponentBase {
  type: 'parallel';
  /** Name of the input whose files are the items. */
  inputData: string;
  code?: string;
  entryScript: string;
  environment?: string;
  environmentVariables: Readonly<Record<string, string>>;
  /** Like a command's line. */
  programArguments: string;
  /** Name of the output that results are gathered in; without one there are none. */
  appendRowTo?: string;
  settings: ParallelSettings;
}

/** What of a batch job's settings a parallel component may set. */
export type ParallelSettings = Partial<
  Pick<
    BatchJobSettings,
    'instanceCount' | 'maxConcurrencyPerInstance' | 'miniBatchSize' | 'errorThreshold' | 'loggingLevel'
  >
> & { retrySettings?: Partial<BatchJobSettings['retrySettings']> };

export interface PipelineComponent extends ComponentBase {
  type: 'pipeline';
  steps: Readonly<Record<string, PipelineStep>>;
}

export interface PipelineStep {
  /** What its component is said to be. */
  type?: StepComponent['type'];
  /** Absent only while it is not stored yet. */
  component?: string;
  inputs: Readonly<Record<string, StepInput>>;
  /** Names of its component's outputs; with the pipeline's output that each becomes, if any. */
  outputs: Readonly<Record<string, { pipelineOutput?: string }>>;
  environmentVariables: Readonly<Record<string, string>>;
  timeoutS?: number;
  settings: ParallelSettings;
}

/** What a step's input is bound to. */
export type StepInput =
  | { from: 'literal'; value: Literal }
  | { from: 'data'; type?: DataType; uri: string }
  | { from: 'pipeline'; input: string }
  | { from: 'step'; step: string; output: string };

export type StepComponent = CommandComponent | ParallelComponent;
export type Component = StepComponent | PipelineComponent;

/** An own entry: names are the user's, and `constructor` is a name. */
export function entryOf<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
