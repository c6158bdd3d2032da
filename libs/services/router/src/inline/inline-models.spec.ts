import { describe, expect, it } from 'vitest';
import { pino } from 'pino';
import type { InstanceRecord } from '@mooring/domain';
import { DeploymentPool } from '../domain/deployment-pool.ts';
import type { InlinePort } from '../ports.ts';
import { instanceRecord, jsonReply } from '../testing/fake-instance.ts';
import { InlineModels } from './inline-models.ts';

const log = pino({ enabled: false });

interface Stand {
  models: InlineModels;
  pool: DeploymentPool;
  loads: { digest: string; done: (port?: InlinePort) => void; fail: () => void }[];
  closed: string[];
  noted: string[][];
  bans: Set<string>;
  record(id: string, digest: string, fields?: Partial<InstanceRecord>): void;
  gone(id: string): void;
}

function stand(modelsMax = 8): Stand {
  const loads: Stand['loads'] = [];
  const closed: string[] = [];
  const noted: string[][] = [];
  const bans = new Set<string>();
  const pool = new DeploymentPool();
  const models = new InlineModels({
    banned: (digest) => bans.has(digest),
    note: (digests) => void noted.push([...digests]),
    modelsMax,
    log,
    load: (record) =>
      new Promise((resolve, reject) => {
        const port: InlinePort = {
          bodyBytesMax: 1_024,
          blockedMs: 0,
          score: async () => jsonReply({ by: record.specDigest }),
          close: async () => void closed.push(record.specDigest),
        };
        loads.push({ digest: record.specDigest, done: () => resolve(port), fail: () => reject(new Error('no')) });
      }),
  });
  const inline = { file: '/m', sha256: 's', rowsMax: 8, batchRowsMax: 0, batchMaxDelayUs: 0 };
  const placement = {
    chosen: 'inline',
    why: 'tiny',
    runUs: 5,
    inline: { ...inline, maxRequestBytes: 1, maxResponseBytes: 1 },
  } as const;
  return {
    models,
    pool,
    loads,
    closed,
    noted,
    bans,
    record: (id, digest, fields = {}) => {
      const ready = { ...instanceRecord('blue', id), specDigest: digest, modelDigest: `m-${digest}`, placement };
      models.apply(pool, id, { ...ready, readyAt: `2026-01-01T00:00:0${digest.at(-1)}Z`, ...fields });
    },
    gone: (id) => models.apply(pool, id, undefined),
  };
}

const nextLoad = (on: Stand, count: number): Promise<void> =>
  expect.poll(() => on.loads.length).toBe(count) as Promise<void>;

describe('the models of this process', () => {
  it('answer while an instance of the same spec is ready, and no longer', async () => {
    const on = stand();
    on.record('a', 'd1');
    on.record('b', 'd1');
    await nextLoad(on, 1);
    expect(on.pool.inline).toBeUndefined();
    on.loads[0]?.done();
    await expect.poll(() => on.pool.inline).toBeDefined();
    on.gone('a');
    expect(on.pool.inline).toBeDefined();
    on.record('b', 'd1', { state: 'draining' });
    expect(on.pool.inline).toBeUndefined();
    await expect.poll(() => on.closed).toEqual(['d1']);
    expect(on.noted).toEqual([['m-d1'], []]);
  });

  it('are those of the instances that became ready last, while others replace them', async () => {
    const on = stand();
    on.record('old', 'd1');
    await nextLoad(on, 1);
    on.loads[0]?.done();
    await expect.poll(() => on.pool.inline).toBeDefined();
    const before = on.pool.inline;
    on.record('new', 'd2');
    // Until the new one is loaded the instances answer: the old model is no longer what the deployment says.
    expect(on.pool.inline).toBeUndefined();
    await nextLoad(on, 2);
    on.loads[1]?.done();
    await expect.poll(() => on.pool.inline).toBeDefined();
    expect(on.pool.inline).not.toBe(before);
    // The update fails and the old instances stay.
    on.gone('new');
    expect(on.pool.inline).toBe(before);
  });

  it('are not asked when the newest instances say nothing of being inline', async () => {
    const on = stand();
    on.record('old', 'd1');
    await nextLoad(on, 1);
    on.loads[0]?.done();
    await expect.poll(() => on.pool.inline).toBeDefined();
    on.record('new', 'd2', { placement: { chosen: 'process', why: 'pinned', runUs: 5 } });
    expect(on.pool.inline).toBeUndefined();
  });

  it('go at once when they are banned, and are not loaded again', async () => {
    const on = stand();
    on.record('a', 'd1');
    await nextLoad(on, 1);
    on.loads[0]?.done();
    await expect.poll(() => on.pool.inline).toBeDefined();
    on.bans.add('m-d1');
    on.models.reconsider();
    expect(on.pool.inline).toBeUndefined();
    on.record('b', 'd1');
    await on.models.close();
    expect(on.loads).toHaveLength(1);
  });

  it('leave to the instances what cannot be loaded', async () => {
    const on = stand();
    on.record('a', 'd1');
    await nextLoad(on, 1);
    on.loads[0]?.fail();
    on.record('b', 'd2');
    await nextLoad(on, 2);
    expect(on.pool.inline).toBeUndefined();
    expect(on.noted).toEqual([['m-d1'], ['m-d2']]);
  });

  it('do not stay when they were loaded for nothing', async () => {
    const on = stand();
    on.record('a', 'd1');
    await nextLoad(on, 1);
    on.gone('a');
    on.loads[0]?.done();
    await expect.poll(() => on.closed).toEqual(['d1']);
    expect(on.pool.inline).toBeUndefined();
  });

  it('are no more than this process may hold', async () => {
    const on = stand(1);
    on.record('a', 'd1');
    on.record('b', 'd2');
    await nextLoad(on, 1);
    on.loads[0]?.done();
    await on.models.close();
    expect(on.loads).toHaveLength(1);
  });
});
