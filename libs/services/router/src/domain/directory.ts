import {
  compileTraffic,
  type CompiledTraffic,
  type DeploymentRoute,
  type InstanceRecord,
  type RoutingRecord,
} from '@mooring/domain';
import type { InstanceStream, OpenInstanceStream } from '../ports.ts';
import { DeploymentPool } from './deployment-pool.ts';
import { factsOf } from './instance-facts.ts';

export interface DeploymentEntry {
  /** In lower case. */
  readonly endpoint: string;
  /** As the user wrote it. */
  readonly endpointName: string;
  /** In lower case. */
  readonly name: string;
  readonly route: DeploymentRoute;
  readonly pool: DeploymentPool;
  /** Identical requests are looked at: the route asks for a response cache or for single flight. */
  readonly alike: boolean;
}

export interface EndpointEntry {
  /** In lower case. */
  readonly name: string;
  /** As the user wrote it. */
  readonly writtenName: string;
  readonly createdAt: string;
  readonly traffic: CompiledTraffic;
  readonly mirrors: readonly { percent: number; deployment: DeploymentEntry }[];
  readonly deployments: ReadonlyMap<string, DeploymentEntry>;
}

/** Told of every instance record that was taken in, with the pool it belongs to. */
export type OnInstance = (pool: DeploymentPool, key: string, record: InstanceRecord | undefined) => void;

/**
 * Everything that a request looks up, in memory. It changes only when a record does: routing is compiled then, and never
 * read from the store during a request. With the store gone it stays as it is.
 */
export class Directory {
  private readonly endpoints = new Map<string, EndpointEntry>();
  private readonly pools = new Map<string, DeploymentPool>();
  private readonly instances = new Map<string, InstanceRecord>();
  private readonly routings = new Map<string, string>();
  /** Every stream that is open, those of retired instances included. */
  private readonly streams = new Set<InstanceStream>();
  private readonly openStream: OpenInstanceStream;
  private readonly onInstance: OnInstance;
  private readonly shareOf: number;
  /** Revision of the newest routing record taken in: equal on two routers = both know the same. */
  generation = 0;

  /** `shareOf`: routers that share the limits of deployments. */
  constructor(openStream: OpenInstanceStream, onInstance: OnInstance = () => {}, shareOf = 1) {
    this.openStream = openStream;
    this.onInstance = onInstance;
    this.shareOf = shareOf;
  }

  endpoint(name: string): EndpointEntry | undefined {
    return this.endpoints.get(name) ?? this.endpoints.get(name.toLowerCase());
  }

  all(): Iterable<EndpointEntry> {
    return this.endpoints.values();
  }

  /** `key` is the store's; `record` undefined = it is gone. */
  applyRouting(key: string, record: RoutingRecord | undefined, revision: number): void {
    this.generation = Math.max(this.generation, revision);
    const before = this.routings.get(key);
    if (record === undefined) {
      this.routings.delete(key);
      if (before !== undefined) this.endpoints.delete(before);
    } else {
      const name = record.endpoint.toLowerCase();
      this.endpoints.set(name, this.compile(name, record));
      this.routings.set(key, name);
    }
    this.dropUnusedPools();
  }

  applyInstance(key: string, record: InstanceRecord | undefined): void {
    const before = this.instances.get(key);
    if (record === undefined) {
      this.instances.delete(key);
      if (before !== undefined) {
        const pool = this.poolOf(before.endpoint, before.deployment);
        pool.retire(before.id);
        pool.specs.note(before.id, undefined);
        pool.states.delete(before.id);
        this.onInstance(pool, key, undefined);
      }
      this.dropUnusedPools();
      return;
    }
    this.instances.set(key, record);
    const pool = this.poolOf(record.endpoint, record.deployment);
    pool.states.set(record.id, record.state);
    if (record.state === 'ready') pool.add(record.id, record.address, () => this.open(record), factsOf(record));
    else pool.retire(record.id);
    pool.specs.note(record.id, record.state === 'ready' ? record.specDigest : undefined);
    this.onInstance(pool, key, record);
  }

  /** True when every instance that is ready can be sent calls. */
  connected(): boolean {
    return [...this.streams].every((stream) => stream.ready());
  }

  /** Closes every stream. */
  close(): void {
    for (const stream of this.streams) stream.close();
    this.streams.clear();
  }

  private open(record: InstanceRecord): InstanceStream {
    const stream = this.openStream(record);
    const tracked: InstanceStream = {
      score: (call, signal) => stream.score(call, signal),
      ready: () => stream.ready(),
      parallel: () => stream.parallel?.() ?? 0,
      close: () => {
        this.streams.delete(tracked);
        stream.close();
      },
    };
    this.streams.add(tracked);
    return tracked;
  }

  private compile(name: string, record: RoutingRecord): EndpointEntry {
    const deployments = new Map<string, DeploymentEntry>();
    for (const [key, route] of Object.entries(record.deployments)) {
      const deployment = key.toLowerCase();
      deployments.set(deployment, {
        endpoint: name,
        endpointName: record.endpoint,
        name: deployment,
        route,
        pool: this.poolOf(name, deployment),
        alike: route.responseCache !== undefined || route.singleFlight === true,
      });
    }
    const mirrors = Object.entries(record.mirrorTraffic).flatMap(([key, percent]) => {
      const deployment = deployments.get(key.toLowerCase());
      return deployment === undefined || percent <= 0 ? [] : [{ percent, deployment }];
    });
    const { endpoint: writtenName, createdAt } = record;
    return { name, writtenName, createdAt, traffic: compileTraffic(record.traffic), mirrors, deployments };
  }

  private poolOf(endpoint: string, deployment: string): DeploymentPool {
    const key = `${endpoint.toLowerCase()}/${deployment.toLowerCase()}`;
    let pool = this.pools.get(key);
    if (pool === undefined) this.pools.set(key, (pool = new DeploymentPool(this.shareOf)));
    return pool;
  }

  private dropUnusedPools(): void {
    const used = new Set<DeploymentPool>();
    for (const endpoint of this.endpoints.values())
      for (const { pool } of endpoint.deployments.values()) used.add(pool);
    for (const [key, pool] of this.pools) if (pool.states.size === 0 && !used.has(pool)) this.pools.delete(key);
  }
}
