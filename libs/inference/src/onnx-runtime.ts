import type { ModelPlacement } from '@mooring/domain';
import type { Capacity, ModelRuntime } from '@mooring/scoring-stream';
import type { Logger } from 'pino';
import { createModelPort } from './model-port.ts';
import { placeModel, type OnnxSpec, type PlacedModel } from './placement/place-model.ts';

export interface OnnxRuntime extends ModelRuntime {
  /** Where the model runs, once it is loaded. */
  placement(): ModelPlacement | undefined;
}

/** So much work lies decoded and ready; the rest waits as bytes, since it may be refused or given up before its turn. */
const readyUs = 2_000;
const readyMax = 48;

/** Requests of one run count as worked on at the same time. */
function capacityOf({ engine, atOnce, batchRowsMax, placement }: PlacedModel): Capacity | undefined {
  if (atOnce !== undefined) return undefined;
  const { parallel, taken } = engine;
  if (batchRowsMax > 1) return { parallel: parallel * batchRowsMax, useful: (parallel + 1) * batchRowsMax };
  const ready = placement.runUs > 0 ? Math.ceil((parallel * readyUs) / placement.runUs) : 0;
  return { parallel, useful: taken + Math.min(readyMax, Math.max(parallel, ready)) };
}

/**
 * Serves an ONNX model without code. A run blocks the thread it is on: a short one this process's own, a long one a worker
 * thread. What waits meanwhile shares the next run, if the deployment allows it and the model keeps its rows apart.
 */
export function createOnnxRuntime(spec: OnnxSpec, log: Logger): OnnxRuntime {
  const nowMs = (): number => performance.now();
  const port = createModelPort({ ...spec, limits: spec.settings }, log, nowMs);
  let placement: ModelPlacement | undefined;
  let capacity: Capacity | undefined;
  return {
    wantsHeaders: false,
    placement: () => placement,
    capacity: () => capacity,
    start: async () => {
      const placed = await placeModel(spec, log, nowMs);
      placement = placed.placement;
      capacity = capacityOf(placed);
      if (placed.atOnce !== undefined) port.serveAtOnce(placed.atOnce);
      else port.serve(placed);
    },
    ready: port.ready,
    score: port.score,
    stop: port.stop,
  };
}
