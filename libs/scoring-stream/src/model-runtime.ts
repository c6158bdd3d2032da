import type { InstanceStatus, ModelPlacement } from '@mooring/domain';
import type { ScoringPort } from './port.ts';

/** A model (or script) that is loaded or being loaded. Made by libs/inference (ONNX) and libs/python-runtime. */
export interface ModelRuntime extends ScoringPort {
  /** Loads and warms up. Rejects with ModelLoadError when that fails. */
  start(): Promise<void>;
  /** True while it can answer. */
  ready(): boolean;
  /** Where the model runs, once it is loaded; absent where there is nothing to choose. */
  placement?(): ModelPlacement | undefined;
  /** True when the runtime passes the caller's headers on (`request_headers`, `@rawhttp`). */
  readonly wantsHeaders: boolean;
  /** Finishes what is open, then ends; `signal` aborts when it must end at once. */
  stop(signal: AbortSignal): Promise<void>;
}

/** Loading failed; `status` is what the instance's status.json will say. */
export class ModelLoadError extends Error {
  override readonly name = 'ModelLoadError';
  readonly status: InstanceStatus;
  constructor(code: string, message: string, permanent: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = { state: 'failed', code, message, permanent };
  }
}
