import { metrics, type HotDistribution, type HotValue } from '@mooring/telemetry';
import type { Stages } from './served-stages.ts';

export type GrpcProtocol = 'oip_grpc' | 'oip_stream';

const stageNames = [
  'auth',
  'route',
  'queue',
  'batch_wait',
  'transport',
  'preprocess',
  'compute',
  'postprocess',
] as const satisfies readonly (keyof Stages)[];

/** The series of one deployment, of the requests that reached it by one protocol. Only names that exist become labels. */
class ServedMeters {
  readonly duration: HotDistribution;
  readonly #labels: { endpoint: string; deployment: string; protocol: GrpcProtocol };
  readonly #stages: HotDistribution[];
  #answered: HotValue | undefined;

  constructor(endpoint: string, deployment: string, protocol: GrpcProtocol) {
    this.#labels = { endpoint, deployment, protocol };
    this.duration = metrics.requestDuration.at(this.#labels);
    this.#stages = stageNames.map((stage) => metrics.stageDuration.at({ endpoint, deployment, stage }));
  }

  requests(code: number, reason: string): HotValue {
    if (code !== 0 || reason !== '') return metrics.requests.at({ ...this.#labels, code: String(code), reason });
    return (this.#answered ??= metrics.requests.at({ ...this.#labels, code: '0', reason: '' }));
  }

  stages(stages: Stages): void {
    for (let index = 0; index < stageNames.length; index += 1) {
      const ms = stages[stageNames[index] as keyof Stages];
      if (ms > 0) this.#stages[index]?.observe(ms / 1_000);
    }
  }
}

const held = { oip_grpc: new Map<string, ServedMeters>(), oip_stream: new Map<string, ServedMeters>() };
/** Deployments come and go; the series themselves stay with the metrics. */
const heldMax = 10_000;

/** Found by one look-up and held from then on: by its labels each of a request's ten series would be found anew. */
export function servedMeters(endpoint: string, deployment: string, protocol: GrpcProtocol): ServedMeters {
  const meters = held[protocol];
  const key = `${endpoint}/${deployment}`;
  let found = meters.get(key);
  if (found === undefined) {
    if (meters.size >= heldMax) meters.clear();
    found = new ServedMeters(endpoint, deployment, protocol);
    meters.set(key, found);
  }
  return found;
}
