import type { Logger } from 'pino';
import type { InlineModel, InstanceRecord } from '@mooring/domain';
import type { DeploymentPool } from '../domain/deployment-pool.ts';
import type { InlinePort } from '../ports.ts';

/** Loads a model into this process. Rejects when it cannot be. */
export type LoadInline = (record: InstanceRecord, model: InlineModel) => Promise<InlinePort>;

export interface InlineModelsDeps {
  load: LoadInline;
  /** True for a model that must never run in this process. */
  banned: (modelDigest: string) => boolean;
  /** Told before a model is loaded and after it is gone: which models are in this process now, by digest. */
  note: (digests: readonly string[]) => void;
  /** Models at the same time; further ones stay in their processes. */
  modelsMax: number;
  log: Logger;
}

/** Loading blocks the event loop for a millisecond or two; so long times that are left to the calls that wait. */
const pausesPerLoad = 10;

interface Wanted {
  record: InstanceRecord;
  model: InlineModel;
  port: InlinePort | undefined;
  /** Waits its turn, or could not be loaded. */
  state: 'waiting' | 'loaded' | 'failed' | 'gone';
}

/**
 * The models that run in this process besides in their instances. One lives exactly as long as an instance of the same spec
 * is ready: what an update or a crash takes from the instances, it takes from here as well. Of several specs, while one
 * replaces the other, the one that became ready last answers.
 */
export class InlineModels {
  private readonly deps: InlineModelsDeps;
  private readonly records = new Map<DeploymentPool, Map<string, InstanceRecord>>();
  private readonly wanted = new Map<DeploymentPool, Map<string, Wanted>>();
  /** Gone for new calls, but still in this process. */
  private readonly leaving = new Map<Wanted, Promise<void>>();
  private turn: Promise<void> = Promise.resolve();
  private closed = false;

  constructor(deps: InlineModelsDeps) {
    this.deps = deps;
  }

  /** Told of every record of an instance, under its key; `record` undefined = it is gone. */
  apply(pool: DeploymentPool, key: string, record: InstanceRecord | undefined): void {
    const known = this.records.get(pool) ?? new Map<string, InstanceRecord>();
    if (record === undefined) known.delete(key);
    else known.set(key, record);
    if (known.size === 0) this.records.delete(pool);
    else this.records.set(pool, known);
    this.settle(pool);
  }

  /** Bans have changed. */
  reconsider(): void {
    for (const pool of this.records.keys()) this.settle(pool);
  }

  /** Resolves when what was wanted by now is loaded, or cannot be. */
  loaded(): Promise<void> {
    return this.turn;
  }

  /** Resolves when no model is left in this process. */
  async close(): Promise<void> {
    this.closed = true;
    for (const pool of this.wanted.keys()) this.settle(pool);
    await this.turn;
    await Promise.all(this.leaving.values());
  }

  private settle(pool: DeploymentPool): void {
    const ready = this.closed ? [] : [...(this.records.get(pool)?.values() ?? [])].filter(isReady);
    const models = this.wanted.get(pool) ?? new Map<string, Wanted>();
    this.wanted.set(pool, models);
    const newest = ready.toSorted((a, b) => ((a.readyAt ?? '') < (b.readyAt ?? '') ? -1 : 1)).at(-1);
    const keep = new Set(ready.filter((record) => this.allows(record)).map(({ specDigest }) => specDigest));
    for (const [digest, model] of models) if (!keep.has(digest)) this.drop(models, digest, model);
    for (const record of ready) {
      if (keep.has(record.specDigest) && !models.has(record.specDigest)) this.want(pool, models, record);
    }
    pool.inline = newest === undefined ? undefined : models.get(newest.specDigest)?.port;
    if (models.size === 0) this.wanted.delete(pool);
  }

  private allows({ modelDigest, placement }: InstanceRecord): boolean {
    return placement?.inline !== undefined && modelDigest !== undefined && !this.deps.banned(modelDigest);
  }

  private want(pool: DeploymentPool, models: Map<string, Wanted>, record: InstanceRecord): void {
    const model = record.placement?.inline;
    const count = [...this.wanted.values()].reduce((sum, { size }) => sum + size, 0);
    if (model === undefined || count >= this.deps.modelsMax) return;
    const wanted: Wanted = { record, model, port: undefined, state: 'waiting' };
    models.set(record.specDigest, wanted);
    this.turn = this.turn.then(() => this.load(pool, wanted));
  }

  /** One at a time, with pauses, so that loading many models is not felt by the calls of others. */
  private async load(pool: DeploymentPool, wanted: Wanted): Promise<void> {
    if (wanted.state !== 'waiting') return;
    const { record, model } = wanted;
    const labels = { endpoint: record.endpoint, deployment: record.deployment };
    this.note();
    try {
      const port = await this.deps.load(record, model);
      // While it was loaded the wish may have gone.
      wanted.port = port;
      if ((wanted.state as Wanted['state']) === 'gone') return this.leave(wanted);
      wanted.state = 'loaded';
      this.deps.log.info({ ...labels, blockedMs: rounded(port.blockedMs) }, 'model is inline');
      this.settle(pool);
      await new Promise((resolve) => setTimeout(resolve, port.blockedMs * pausesPerLoad));
    } catch (error) {
      wanted.state = 'failed';
      this.deps.log.warn({ err: error, ...labels }, 'a model cannot be inline; its process serves it');
    }
  }

  private drop(models: Map<string, Wanted>, digest: string, model: Wanted): void {
    models.delete(digest);
    model.state = 'gone';
    this.leave(model);
  }

  private leave(model: Wanted): void {
    const { port } = model;
    if (port === undefined) return;
    const closed = port.close().finally(() => {
      this.leaving.delete(model);
      this.note();
    });
    this.leaving.set(model, closed);
  }

  /** Includes those that are about to be loaded: a crash while loading counts as well. */
  private note(): void {
    const all = [...this.wanted.values()].flatMap((models) => [...models.values()]);
    const inside = [...all.filter(({ state }) => state !== 'failed'), ...this.leaving.keys()];
    this.deps.note([...new Set(inside.flatMap(({ record }) => record.modelDigest ?? []))]);
  }
}

function isReady({ state }: InstanceRecord): boolean {
  return state === 'ready';
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
