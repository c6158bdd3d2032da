import type { ModelPlacement } from '@mooring/domain';
import type { ModelRuntime } from '@mooring/scoring-stream';
import type { Logger } from 'pino';
import { createModelPort } from './model-port.ts';
import { placeModel, type OnnxSpec } from './placement/place-model.ts';

export interface OnnxRuntime extends ModelRuntime {
  /** Where the model runs, once it is loaded. */
  placement(): ModelPlacement | undefined;
}

/**
 * Serves an ONNX model without code. A run blocks the thread it is on: a short one this process's own, a long one a worker
 * thread. What waits meanwhile shares the next run, if the deployment allows it and the model keeps its rows apart.
 */
export function createOnnxRuntime(spec: OnnxSpec, log: Logger): OnnxRuntime {
  const nowMs = (): number => performance.now();
  const port = createModelPort({ ...spec, limits: spec.settings }, log, nowMs);
  let placement: ModelPlacement | undefined;
  return {
    wantsHeaders: false,
    placement: () => placement,
    start: async () => {
      const placed = await placeModel(spec, log, nowMs);
      placement = placed.placement;
      const { engine, batchRowsMax, atOnce } = placed;
      if (atOnce !== undefined) port.serveAtOnce(atOnce);
      else port.serve({ engine, batchRowsMax, batchMaxDelayUs: spec.settings.batchMaxDelayUs });
    },
    ready: port.ready,
    score: port.score,
    stop: port.stop,
  };
}
