import { metrics, type HotDistribution, type HotValue } from '@mooring/telemetry';
import { whoText } from './access-line.ts';
import { stageNames, type StageTimes } from './domain/stage-times.ts';

/** Names of the stages as labels: Prometheus has its own customs. */
const stageLabels: Readonly<Record<keyof StageTimes, string>> = {
  read: 'read',
  auth: 'auth',
  route: 'route',
  transport: 'transport',
  queue: 'queue',
  batchWait: 'batch_wait',
  preprocess: 'preprocess',
  compute: 'compute',
  postprocess: 'postprocess',
  write: 'write',
};

/** Texts that are kept; instances come and go. */
const instancesMax = 1_000;

/** The series of one deployment; that of no deployment is for requests that reached none. */
export class DeploymentMeters {
  readonly #where: { endpoint: string; deployment: string };
  readonly #requests = new Map<string, HotValue>();
  readonly #durations = new Map<string, HotDistribution>();
  /** In the order of `stageNames`. */
  readonly #stages: (HotDistribution | undefined)[] = stageNames.map(() => undefined);
  /** By protocol: most requests end well, and need no longer name then. */
  readonly #answered = new Map<string, HotValue>();
  readonly #who = new Map<string, string>();
  #overhead: HotDistribution | undefined;

  constructor(endpoint: string, deployment: string) {
    this.#where = { endpoint, deployment };
  }

  requests(protocol: string, status: number, reason: string): HotValue {
    const make = (): HotValue => metrics.requests.at({ ...this.#where, protocol, code: String(status), reason });
    if (status === 200 && reason === '') return found(this.#answered, protocol, make);
    return found(this.#requests, `${protocol} ${status} ${reason}`, make);
  }

  duration(protocol: string): HotDistribution {
    return found(this.#durations, protocol, () => metrics.requestDuration.at({ ...this.#where, protocol }));
  }

  /** Time that was not spent in the instance. */
  get overhead(): HotDistribution {
    this.#overhead ??= metrics.gatewayOverhead.at(this.#where);
    return this.#overhead;
  }

  stages(times: StageTimes): void {
    for (let index = 0; index < stageNames.length; index += 1) {
      const ms = times[stageNames[index] as keyof StageTimes];
      if (ms > 0) this.#stage(index).observe(ms / 1_000);
    }
  }

  /** The deployment and one of its instances, as they stand in the access line. */
  who(instance: string): string {
    if (this.#who.size >= instancesMax) this.#who.clear();
    return found(this.#who, instance, () => whoText(this.#where.endpoint, this.#where.deployment, instance));
  }

  /** The caller left while its request was in nobody's hands but ours; `wastedUs` of a model went into its answer. */
  cancelled(wastedUs: number): void {
    metrics.cancelled.at({ ...this.#where, where: 'edge' }).value += 1;
    if (wastedUs > 0) metrics.wastedCompute.at(this.#where).value += wastedUs / 1_000_000;
  }

  rejected(reason: string): void {
    metrics.rejected.at({ ...this.#where, reason }).value += 1;
  }

  #stage(index: number): HotDistribution {
    const stage = stageLabels[stageNames[index] as keyof StageTimes];
    return (this.#stages[index] ??= metrics.stageDuration.at({ ...this.#where, stage }));
  }
}

/** The series of one endpoint. */
export class EndpointMeters {
  readonly inFlight: HotValue;
  readonly #endpoint: string;
  readonly #deployments = new Map<string, DeploymentMeters>();

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
    this.inFlight = metrics.inFlight.at({ endpoint, deployment: '' });
  }

  of(deployment: string): DeploymentMeters {
    return found(this.#deployments, deployment, () => new DeploymentMeters(this.#endpoint, deployment));
  }
}

/** The series that a request adds to, found by name once and held from then on. As many as the metrics have labels. */
export class Meters {
  /** Of requests that never reached an endpoint. */
  readonly nowhere = new DeploymentMeters('', '');
  readonly #endpoints = new Map<string, EndpointMeters>();

  of(endpoint: string): EndpointMeters {
    return found(this.#endpoints, endpoint, () => new EndpointMeters(endpoint));
  }
}

function found<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
