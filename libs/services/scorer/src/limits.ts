import type { InstanceSpec } from '@mooring/domain';
import type { Capacity } from '@mooring/scoring-stream';

export interface Limits {
  /** Calls that the model may have at once. */
  running: number;
  /** How many of them it can make use of, once that is known. */
  capacity?: () => Capacity | undefined;
  /** Calls that run or wait; a further one is refused. */
  inFlight: number;
  /** How long one call may take, waiting included. */
  requestTimeoutMs: number;
  /** Bytes of requests that wait; default queueBytesDefault. */
  queueBytes?: number;
}

export const queueBytesDefault = 256 * 2 ** 20;

/**
 * Azure's rule: `max_concurrent_requests_per_instance` run and as many wait (azureml-contract 4.4, 4.5). A model that shares
 * runs needs a batch's worth of requests at once, whatever that number says: it runs them as one.
 */
export function limitsOf(spec: InstanceSpec): Limits {
  const { maxConcurrentRequestsPerInstance, requestTimeoutMs } = spec.requestSettings;
  const batched = spec.runtime.kind === 'onnx' ? spec.settings.batchMaxRows : 1;
  const running = Math.max(1, maxConcurrentRequestsPerInstance, batched);
  return { running, inFlight: running * 2, requestTimeoutMs };
}
