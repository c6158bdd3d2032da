import type { InstanceStatus, ModelPlacement } from '@mooring/domain';
import type { ScoringPort } from './port.ts';

/** How many calls a model can make use of. */
export interface Capacity {
  /** It works on so many at the same time. */
  parallel: number;
  /** It should have so many: those, and what lies ready so that it never stands still. More would only wait in it. */
  useful: number;
}

/** A model (or script) that is loaded or being loaded. Made by libs/inference (ONNX) and libs/python-runtime. */
export interface ModelRuntime extends ScoringPort {
  /** Loads and warms up. Rejects with ModelLoadError when that fails. */
  start(): Promise<void>;
  /** True while it can answer. */
  ready(): boolean;
  /** Where the model runs, once it is loaded; absent where there is nothing to choose. */
  placement?(): ModelPlacement | undefined;
  /** Once it is loaded; absent where calls never wait for each other. */
  capacity?(): Capacity | undefined;
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
