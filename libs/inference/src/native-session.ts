import { env, type InferenceSession } from 'onnxruntime-node';
import { binding, initOrt } from 'onnxruntime-node/dist/binding.js';
import type { NativeTensor } from './native-tensors.ts';

/** ONNX Runtime's own session, below the public one of onnxruntime-node. */
export interface NativeSession {
  readonly inputMetadata: readonly NativeMetadata[];
  readonly outputMetadata: readonly NativeMetadata[];
  /**
   * Blocks, and cannot be ended: of ONNX Runtime's run options the binding hands on tag and log level, not `terminate`, and this
   * thread could not set it meanwhile. So a run that nobody waits for any more is finished, and counted as wasted.
   */
  run(
    feeds: Readonly<Record<string, NativeTensor>>,
    fetches: Readonly<Record<string, null>>,
    options?: InferenceSession.RunOptions,
  ): Readonly<Record<string, NativeTensor>>;
  dispose(): void;
}

export interface NativeMetadata {
  name: string;
  isTensor: boolean;
  /** ONNX's number of the element type. */
  type: number;
  /** -1 = free. */
  shape: readonly number[];
  symbolicDimensions: readonly string[];
}

/** Models that come as bytes are tiny: what ONNX Runtime plans and keeps ahead costs 0.3 us of a run that takes 6. */
const tiny = { enableCpuMemArena: false, enableMemPattern: false };

/**
 * Makes a session from an .onnx file or its bytes; blocks. The native binding is used directly because the public session
 * runs the model in a later turn of the event loop although it blocks all the same: for a tiny model that turn costs more
 * than the run (15 us against 6 us for iris).
 */
export function createNative(model: string | Uint8Array, threads: number): NativeSession {
  prepareNative();
  const session = new binding.InferenceSession();
  const options: InferenceSession.SessionOptions = {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
  };
  if (typeof model === 'string') session.loadModel(model, options);
  else session.loadModel(model.buffer as ArrayBuffer, model.byteOffset, model.byteLength, { ...options, ...tiny });
  return session as unknown as NativeSession;
}

/** What the first session of a process would otherwise pay for: tens of milliseconds. */
export function prepareNative(): void {
  // Its own error lines would repeat, in colour, what the thrown error says.
  env.logLevel = 'fatal';
  initOrt();
}
