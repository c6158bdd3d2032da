import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endpointYaml, fixtures, onnxYaml, startPlatform, type Platform } from './harness.ts';

interface Revision {
  etag: string;
  generation: number;
  state: string;
  modifiedBy: string;
  resource: { tags: Record<string, string>; sku?: { capacity: number } };
}

interface AuditEvent {
  action: string;
  outcome: string;
  principal: string;
  resource: string;
}

let platform: Platform;
const endpointHistory = (): Promise<Revision[]> => platform.json('online-endpoint', 'history', '-n', 'kept');

beforeAll(async () => {
  platform = await startPlatform();
  await platform.json('online-endpoint', 'create', '-f', platform.yaml(endpointYaml('kept')));
  const yaml = onnxYaml('kept', 'one', join(fixtures, 'iris-onnx/model.onnx'));
  await platform.json('online-deployment', 'create', '-f', platform.yaml(yaml));
});
afterAll(() => platform.remove());

describe('the history, as people see it', () => {
  it('has each revision of an endpoint, newest last, with an etag of its own and the resource as it was', async () => {
    await platform.json('online-endpoint', 'update', '-n', 'kept', '--set', 'tags.season=spring');
    await platform.json('online-endpoint', 'update', '-n', 'kept', '--set', 'tags.season=summer');
    const history = await endpointHistory();
    expect(history.map(({ resource }) => resource.tags['season'])).toEqual([undefined, 'spring', 'summer']);
    expect(history.map(({ generation }) => generation)).toEqual([1, 2, 3]);
    expect(new Set(history.map(({ etag }) => etag)).size).toBe(3);
    expect(history.map(({ state }) => state)).toEqual(['Succeeded', 'Succeeded', 'Succeeded']);
    expect(history[2]?.modifiedBy).toBe('admin');
  });

  it('has the revisions of a deployment too', async () => {
    await platform.json('online-deployment', 'update', '-n', 'one', '-e', 'kept', '--set', 'instance_count=2');
    const history = await platform.json<Revision[]>('online-deployment', 'history', '-n', 'one', '-e', 'kept');
    expect(history.map(({ resource }) => resource.sku?.capacity)).toEqual([1, 2]);
  });

  it('survives a restart of everything', async () => {
    // All but the addresses in the resources: with port 0 they are others after a restart.
    const kept = async () =>
      (await endpointHistory()).map(({ resource: { tags }, ...revision }) => ({ ...revision, tags }));
    const before = await kept();
    await platform.down();
    await platform.up();
    expect(await kept()).toEqual(before);
  });
});

describe('two who change one endpoint at the same time', () => {
  it('both keep their change, because each is written only on top of what was read', async () => {
    const changes = ['tags.a=1', 'tags.b=2', 'tags.c=3'];
    const all = await Promise.all(
      changes.map((change) => platform.mooring('online-endpoint', 'update', '-n', 'kept', '--set', change)),
    );
    // None is lost: one that a newer write overtook while it was being made is told so, and stands all the same.
    for (const { code, stderr } of all) if (code !== 0) expect(stderr).toContain('OPERATION_CANCELED');
    const shown = await platform.json<{ tags: Record<string, string> }>('online-endpoint', 'show', '-n', 'kept');
    expect(shown.tags).toMatchObject({ a: '1', b: '2', c: '3' });
  });
});

describe('the audit, as people see it', () => {
  it('tells who did what, newest first, what was refused too', async () => {
    const wrong = platform.yaml('name: kept\nauth_mode: key\ntraffic: {nobody: 100}\n');
    expect((await platform.mooring('online-endpoint', 'update', '-f', wrong)).code).toBe(2);
    const events = await platform.json<AuditEvent[]>('audit', 'list', '--max-results', '5');
    expect(events).toHaveLength(5);
    expect(events[0]).toMatchObject({ action: 'onlineEndpoints/write', outcome: 'refused', principal: 'admin' });
    expect(events[0]?.resource).toMatch(/onlineEndpoints\/kept$/);
  });
});
