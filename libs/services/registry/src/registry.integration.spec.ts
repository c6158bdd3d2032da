import { randomUUID } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storedOf } from '@mooring/contracts/stored-resource';
import type { ResourceKind } from '@mooring/domain';
import { codeSpec, deploymentSpec, endpointSpec, environmentSpec, modelSpec } from '@mooring/domain/testing';
import { eventually, startTestNats, tempDir, type TestNats } from '@mooring/testing';
import { startTestRegistry, type TestRegistry } from './testing/test-registry.ts';

const data = tempDir();
let nats: TestNats;
let registry: TestRegistry;

beforeAll(async () => {
  nats = await startTestNats();
  registry = await startTestRegistry(nats.environment, data.path);
  await registry.put('model', 'fern/1', modelSpec());
});
afterAll(async () => {
  await registry.stop();
  await nats.stop();
  data.remove();
});

let count = 0;
/** An endpoint of a test's own, taken over by the controller already. */
async function freshEndpoint(): Promise<string> {
  count += 1;
  const name = `cars-${count}`;
  await registry.end((await registry.put('online-endpoint', name, endpointSpec())).resource);
  return name;
}

async function freshDeployment(endpoint: string, name: string, changes = {}): Promise<string> {
  const key = `${endpoint}/${name}`;
  await registry.end((await registry.put('online-deployment', key, deploymentSpec(changes))).resource);
  return key;
}

const remove = (kind: ResourceKind, key: string, ifMatch = '') =>
  registry.call('deleteResource', { kind, key, ifMatch, principal: 'ada' });
const report = (resource: { kind: string; key: string; generation: number }, changes: object = {}) =>
  registry.call('reportOperation', {
    kind: resource.kind,
    key: resource.key,
    generation: resource.generation,
    status: 'InProgress',
    step: '',
    percentComplete: 0,
    errorCode: '',
    errorMessage: '',
    warnings: [],
    ...changes,
  });

describe('the life of an endpoint', () => {
  it('goes from Creating to gone, each step told by its operation', async () => {
    const made = await registry.put('online-endpoint', 'Life', endpointSpec());
    expect(made).toMatchObject({ created: true, changed: true, resource: { state: 'Creating', generation: 1 } });
    await registry.end(made.resource);
    expect(await registry.get('online-endpoint', 'LIFE')).toMatchObject({ state: 'Succeeded', key: 'Life' });
    const luca = await registry.put('online-deployment', 'life/luca', deploymentSpec());
    expect(luca.resource).toMatchObject({ key: 'Life/luca', state: 'Creating' });

    const going = await registry.remove('online-endpoint', 'life');
    expect(going).toMatchObject({ state: 'Deleting', generation: 2, operation: { status: 'InProgress' } });
    await expect(registry.finalize(going)).rejects.toMatchObject({ reason: 'DEPLOYMENTS_LEFT' });
    await expect(registry.put('online-deployment', 'life/nora', deploymentSpec())).rejects.toMatchObject({
      problems: [{ path: 'endpointName' }],
    });
    await registry.finalize(await registry.remove('online-deployment', 'life/luca'));
    await registry.finalize(going);
    await expect(registry.get('online-endpoint', 'life')).rejects.toMatchObject({ reason: 'ENDPOINT_NOT_FOUND' });
    expect(await registry.operation(going.operation.id)).toMatchObject({ verb: 'delete', status: 'Succeeded' });
    expect(await registry.operation(made.resource.operation.id)).toMatchObject({ verb: 'create', status: 'Succeeded' });

    const again = await registry.put('online-endpoint', 'life', endpointSpec());
    expect(again).toMatchObject({ created: true, resource: { key: 'life', generation: 3 } });
  });

  it('knows who made it and who changed it last', async () => {
    const key = await freshEndpoint();
    await registry.call('putResource', {
      kind: 'online-endpoint',
      key,
      specJson: JSON.stringify(endpointSpec({ tags: { a: '1' } })),
      ifMatch: '',
      principal: 'bob',
    });
    expect((await registry.get('online-endpoint', key)).system).toMatchObject({
      createdBy: 'ada',
      lastModifiedBy: 'bob',
    });
  });

  it('is not changed on its way out; that can be repeated when it is gone', async () => {
    const key = await freshEndpoint();
    const going = await registry.remove('online-endpoint', key);
    await expect(registry.put('online-endpoint', key, endpointSpec())).rejects.toMatchObject({
      code: 'aborted',
      reason: 'BEING_DELETED',
    });
    await registry.finalize(going);
    expect(await registry.put('online-endpoint', key, endpointSpec())).toMatchObject({ created: true });
  });
});

describe('the life of a deployment', () => {
  it('keeps it while it has traffic, and routes traffic to what exists only', async () => {
    const endpoint = await freshEndpoint();
    const luca = await freshDeployment(endpoint, 'luca');
    await freshDeployment(endpoint, 'nora');
    const traffic = (table: Record<string, number>) =>
      registry.put('online-endpoint', endpoint, endpointSpec({ traffic: table }));
    expect((await traffic({ Luca: 90, nora: 10 })).resource.spec.traffic).toEqual({ luca: 90, nora: 10 });
    await expect(remove('online-deployment', luca)).rejects.toMatchObject({ reason: 'DEPLOYMENT_HAS_TRAFFIC' });
    await traffic({ nora: 100 });
    const going = await registry.remove('online-deployment', luca);
    await expect(traffic({ luca: 100 })).rejects.toMatchObject({
      problems: [{ path: 'traffic.luca', expected: 'one of: nora' }],
    });
    await registry.finalize(going);
    await expect(registry.get('online-deployment', luca)).rejects.toMatchObject({ reason: 'DEPLOYMENT_NOT_FOUND' });
  });

  it('ends at twenty of one endpoint, also when they come at once', async () => {
    const endpoint = await freshEndpoint();
    const puts = Array.from({ length: 25 }, (_none, index) =>
      registry.put('online-deployment', `${endpoint}/dep-${index}`, deploymentSpec()),
    );
    const outcomes = await Promise.allSettled(puts);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(20);
    const { resources } = await registry.call('listResources', {
      kind: 'online-deployment',
      parent: endpoint,
      pageSize: 0,
      pageToken: '',
    });
    expect(resources).toHaveLength(20);
  });
});

describe('assets', () => {
  it('are what they are at once, are written once, and go only when nobody uses them', async () => {
    const made = await registry.put('model', 'Oak/1', modelSpec());
    expect(made.resource).toMatchObject({ state: 'Succeeded', operation: { status: 'Succeeded' } });
    expect(await registry.put('model', 'oak/1', modelSpec({ tags: { a: '1' } }))).toMatchObject({
      created: false,
      resource: { state: 'Succeeded', generation: 2, key: 'Oak/1' },
    });
    const luca = await freshDeployment(await freshEndpoint(), 'luca', { model: 'oak/1' });
    await expect(remove('model', 'oak/1')).rejects.toMatchObject({ reason: 'ASSET_IN_USE' });
    await registry.remove('online-deployment', luca);

    const gone = await registry.remove('model', 'oak/1');
    expect(gone).toMatchObject({ operation: { verb: 'delete', status: 'Succeeded' } });
    await expect(registry.get('model', 'oak/1')).rejects.toMatchObject({ reason: 'MODEL_NOT_FOUND' });
    expect(await registry.operation(gone.operation.id)).toMatchObject({ status: 'Succeeded' });
    const anew = await registry.put('model', 'oak/1', modelSpec({ path: 'models/other' }));
    expect(anew).toMatchObject({ created: true, resource: { generation: 4 } });
  });

  it('are gone also when the registry dies before it has tidied up', async () => {
    const made = await registry.put('environment', 'dead/1', environmentSpec());
    const connection = await nats.connect();
    const bucket = await connection.bucket<object>('mooring_resources');
    const entry = await bucket.get('environment.dead.1');
    const left = { ...entry?.value, state: 'Deleting', generation: 2 };
    await bucket.update('environment.dead.1', left, Number(made.resource.etag));
    await expect(registry.get('environment', 'dead/1')).rejects.toMatchObject({ code: 'not_found' });
    expect(await remove('environment', 'dead/1')).toEqual({ resource: undefined });
    expect(await registry.put('environment', 'dead/1', environmentSpec(), '0')).toMatchObject({
      created: true,
      resource: { generation: 3 },
    });
    await connection.close();
  });
});

describe('etags', () => {
  it('guard a write by what was read', async () => {
    const key = await freshEndpoint();
    const { etag } = await registry.get('online-endpoint', key);
    const first = await registry.put('online-endpoint', key, endpointSpec({ tags: { a: '1' } }), etag);
    await expect(registry.put('online-endpoint', key, endpointSpec({ tags: { a: '2' } }), etag)).rejects.toMatchObject({
      code: 'aborted',
      reason: 'STALE_ETAG',
    });
    await expect(remove('online-endpoint', key, etag)).rejects.toMatchObject({ reason: 'STALE_ETAG' });
    expect((await registry.get('online-endpoint', key)).etag).toBe(first.resource.etag);
    expect(await registry.remove('online-endpoint', key, first.resource.etag)).toMatchObject({ state: 'Deleting' });
  });

  it('say whether it must exist', async () => {
    const key = await freshEndpoint();
    await expect(registry.put('online-endpoint', key, endpointSpec(), '0')).rejects.toMatchObject({
      code: 'already_exists',
    });
    await expect(registry.put('online-endpoint', 'nobody', endpointSpec(), '*')).rejects.toMatchObject({
      code: 'not_found',
    });
    await expect(remove('online-endpoint', 'nobody', '*')).rejects.toMatchObject({ code: 'not_found' });
    await expect(remove('online-endpoint', 'nobody', '7')).rejects.toMatchObject({ reason: 'STALE_ETAG' });
    expect(await registry.put('online-endpoint', key, endpointSpec(), '*')).toMatchObject({ changed: false });
  });
});

describe('the same again', () => {
  it('writes nothing, whatever the order of fields and the case of names', async () => {
    const endpoint = await freshEndpoint();
    await freshDeployment(endpoint, 'luca', { environmentVariables: { A: '1', B: '2' } });
    const before = await registry.get('online-deployment', `${endpoint}/luca`);
    const spec = deploymentSpec({ environmentVariables: { B: '2', A: '1' } });
    const shuffled = JSON.stringify(Object.fromEntries(Object.entries(spec).toReversed()));
    const again = await registry.put('online-deployment', `${endpoint.toUpperCase()}/LUCA`, shuffled);
    expect(again).toEqual({ resource: before, created: false, changed: false });
    expect(await registry.put('online-endpoint', endpoint, endpointSpec({ traffic: { LUCA: 0 } }))).toMatchObject({
      changed: false,
    });
  });

  it('does not disturb the operation that runs', async () => {
    const made = await registry.put('online-endpoint', 'running', endpointSpec());
    const again = await registry.put('online-endpoint', 'running', endpointSpec());
    expect(again).toMatchObject({ changed: false, resource: { operation: { id: made.resource.operation.id } } });
    const gone = await registry.remove('online-endpoint', 'running');
    expect((await registry.remove('online-endpoint', 'running')).operation.id).toBe(gone.operation.id);
  });

  it('is another try after a failure', async () => {
    const made = await registry.put('online-endpoint', 'unlucky', endpointSpec());
    await registry.end(made.resource, { code: 'OutOfQuota', message: 'no room' });
    expect(await registry.get('online-endpoint', 'unlucky')).toMatchObject({ state: 'Failed' });
    const again = await registry.put('online-endpoint', 'unlucky', endpointSpec());
    expect(again).toMatchObject({ changed: true, resource: { state: 'Updating', generation: 2 } });
  });

  it('deletes what is gone, and finalizes it, without an error', async () => {
    const key = await freshEndpoint();
    const going = await registry.remove('online-endpoint', key);
    await registry.finalize(going);
    await registry.finalize(going);
    for (const absent of [key, 'never-was', 'x', 'y'.repeat(9_000)]) {
      expect(await remove('online-endpoint', absent)).toEqual({ resource: undefined });
    }
  });
});

describe('operations', () => {
  it('tell how far they are, also with the resource, and forget it at their end', async () => {
    const { resource } = await registry.put('online-endpoint', 'steps', endpointSpec());
    await report(resource, { step: 'preparing', percentComplete: 40, warnings: ['slow disk'] });
    expect(await registry.operation(resource.operation.id)).toMatchObject({ step: 'preparing', percentComplete: 40 });
    expect(await registry.get('online-endpoint', 'steps')).toMatchObject({
      etag: resource.etag,
      operation: { step: 'preparing' },
      warnings: ['slow disk'],
    });
    await registry.end(resource);
    const ended = await registry.operation(resource.operation.id);
    expect(ended).toMatchObject({ status: 'Succeeded', endedAt: expect.any(String) as string });
    expect(ended).not.toHaveProperty('step');
    await report(resource, { step: 'late' });
    await registry.end(resource, { code: 'Late', message: 'late' });
    expect(await registry.operation(resource.operation.id)).toEqual(ended);
  });

  it('are superseded by a newer write, and reports about them say nothing any more', async () => {
    const first = await registry.put('online-endpoint', 'newer', endpointSpec());
    await report(first.resource, { step: 'old' });
    const second = await registry.put('online-endpoint', 'newer', endpointSpec({ tags: { a: '1' } }));
    expect(await registry.operation(first.resource.operation.id)).toMatchObject({ status: 'Canceled' });
    await report(first.resource, { step: 'older' });
    await registry.end(first.resource);
    await registry.end({ ...first.resource, generation: 99 });
    const now = await registry.get('online-endpoint', 'newer');
    expect(now).toMatchObject({ state: 'Updating', etag: second.resource.etag, operation: second.resource.operation });
    await registry.end(second.resource, { code: 'UserScriptInitFailed', message: 'init() raised' });
    expect(await registry.operation(second.resource.operation.id)).toMatchObject({
      status: 'Failed',
      error: { code: 'UserScriptInitFailed', message: 'init() raised' },
    });
  });

  it('that never were are not found', async () => {
    const { resource } = await registry.put('online-endpoint', 'other-one', endpointSpec());
    const unknown = resource.operation.id.replace(/[-0-9a-f]{36}$/, randomUUID());
    for (const id of [unknown, '', 'x.y.z', unknown.replace('online-endpoint', 'pod'), 'z'.repeat(50_000)]) {
      await expect(registry.operation(id)).rejects.toMatchObject({ reason: 'OPERATION_NOT_FOUND' });
    }
  });

  it('do not end by words that make no sense', async () => {
    const { resource } = await registry.put('online-endpoint', 'senseless', endpointSpec());
    await expect(report(resource, { status: 'Done', percentComplete: 101 })).rejects.toMatchObject({
      problems: [{ path: 'status' }, { path: 'percent_complete' }],
    });
    await expect(report(resource, { status: 'Failed' })).rejects.toMatchObject({
      problems: [{ path: 'error_code' }, { path: 'error_message' }],
    });
    await expect(registry.finalize(resource)).rejects.toMatchObject({ reason: 'NOT_BEING_DELETED' });
    const going = await registry.remove('online-endpoint', 'senseless');
    await expect(registry.end(going)).rejects.toMatchObject({ reason: 'IS_BEING_DELETED' });
    await registry.end({ ...going, key: 'not-there' });
    expect(await registry.get('online-endpoint', 'senseless')).toMatchObject({ state: 'Deleting' });
  });
});

describe('the history', () => {
  it('gives the revisions newest first, each as it ended, secrets opened', async () => {
    const endpoint = await freshEndpoint();
    const key = await freshDeployment(endpoint, 'luca', { environmentVariables: { N: '1' } });
    await registry.put('online-deployment', key, deploymentSpec({ environmentVariables: { N: '2' } }));
    await registry.put('online-deployment', key, deploymentSpec({ environmentVariables: { N: '3' } }));
    const { revisions } = await registry.call('listRevisions', { kind: 'online-deployment', key });
    const seen = revisions.map((revision) => storedOf<'online-deployment'>(revision));
    expect(seen.map(({ generation, state, spec }) => [generation, state, spec.environmentVariables['N']])).toEqual([
      [3, 'Updating', '3'],
      [2, 'Canceled', '2'],
      [1, 'Succeeded', '1'],
    ]);
    expect(seen[0]?.etag).toBe((await registry.get('online-deployment', key)).etag);
  });

  it('is bounded, and of what is not there it is not found', async () => {
    for (let tag = 0; tag < 25; tag += 1) await registry.put('code', 'many/1', codeSpec({ tags: { n: `${tag}` } }));
    const { revisions } = await registry.call('listRevisions', { kind: 'code', key: 'many/1' });
    expect(revisions).toHaveLength(20);
    await expect(registry.call('listRevisions', { kind: 'code', key: 'none/1' })).rejects.toMatchObject({
      reason: 'CODE_NOT_FOUND',
    });
  });
});

describe('lists', () => {
  const page = (parent: string, pageSize: number, pageToken: string) =>
    registry.call('listResources', { kind: 'model', parent, pageSize, pageToken });

  it('come in pages, sorted, below a parent, each resource once', async () => {
    const versions = Array.from({ length: 7 }, (_none, index) => `Pine/${index}`);
    for (const key of versions.toReversed()) await registry.put('model', key, modelSpec());
    await registry.put('model', 'pine-2/1', modelSpec());
    const seen: string[] = [];
    let token = '';
    do {
      const { resources, nextPageToken } = await page('pine', 3, token);
      expect(resources.length).toBeLessThanOrEqual(3);
      seen.push(...resources.map(({ key }) => key));
      token = nextPageToken;
    } while (token !== '');
    expect(seen).toEqual(versions);
    const all = (await page('', 1_000, '')).resources.map(({ key }) => key.toLowerCase());
    expect(all).toEqual(all.toSorted());
    expect(all).toContain('pine-2/1');
  });

  it('are empty below what is not there, and refuse what makes no sense', async () => {
    for (const parent of ['absent', '>', '*', 'a b', 'q'.repeat(9_000)]) {
      expect(await page(parent, 0, '')).toEqual({ resources: [], nextPageToken: '' });
    }
    await expect(page('', 1_001, '')).rejects.toMatchObject({ problems: [{ path: 'page_size' }] });
    await expect(page('', 1, '!')).rejects.toMatchObject({ problems: [{ path: 'page_token' }] });
    const pods = { kind: 'pod', parent: '', pageSize: 0, pageToken: '' };
    await expect(registry.call('listResources', pods)).rejects.toMatchObject({ problems: [{ path: 'kind' }] });
  });
});

describe('many at once', () => {
  it('let exactly one of a hundred writers win each revision', async () => {
    const key = await freshEndpoint();
    for (let round = 0; round < 3; round += 1) {
      const { etag, generation } = await registry.get('online-endpoint', key);
      const writers = Array.from({ length: 100 }, (_none, index) =>
        registry.put('online-endpoint', key, endpointSpec({ tags: { winner: `${round}-${index}` } }), etag),
      );
      const outcomes = await Promise.allSettled(writers);
      const won = outcomes.filter((outcome) => outcome.status === 'fulfilled');
      expect(won).toHaveLength(1);
      for (const lost of outcomes.filter((outcome) => outcome.status === 'rejected')) {
        expect(lost.reason).toMatchObject({ reason: 'STALE_ETAG' });
      }
      const after = await registry.get('online-endpoint', key);
      expect(after.generation).toBe(generation + 1);
      expect(after.spec.tags).toEqual(won[0]?.value.resource.spec.tags);
    }
  });

  it('lose no write of a hundred unguarded writers, though the controller reports in between', async () => {
    const key = await freshEndpoint();
    const { generation } = await registry.get('online-endpoint', key);
    const writers = Array.from({ length: 100 }, async (_none, index) => {
      const { resource } = await registry.put('online-endpoint', key, endpointSpec({ tags: { n: `${index}` } }));
      await registry.end(resource);
      return resource.generation;
    });
    const generations = (await Promise.all(writers)).toSorted((a, b) => a - b);
    expect(generations).toEqual(Array.from({ length: 100 }, (_none, index) => generation + 1 + index));
    expect(await registry.get('online-endpoint', key)).toMatchObject({
      generation: generation + 100,
      state: 'Succeeded',
    });
  });

  it('create a thing once', async () => {
    const creators = Array.from({ length: 50 }, () => registry.put('online-endpoint', 'once', endpointSpec(), '0'));
    const outcomes = await Promise.allSettled(creators);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('environment variables', () => {
  it('are nowhere readable but in the answers', async () => {
    const endpoint = await freshEndpoint();
    const secret = `s3cret-${randomUUID()}`;
    const key = await freshDeployment(endpoint, 'luca', { environmentVariables: { TOKEN: secret } });
    expect((await registry.get('online-deployment', key)).spec.environmentVariables).toEqual({ TOKEN: secret });
    await registry.restart();
    expect((await registry.get('online-deployment', key)).spec.environmentVariables).toEqual({ TOKEN: secret });
    const stored = readdirSync(nats.storeDir, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
    expect(stored.some((bytes) => bytes.includes(`${endpoint}/luca`))).toBe(true);
    expect(stored.some((bytes) => bytes.includes(secret))).toBe(false);
    expect(registry.logged.some((line) => line.includes(secret))).toBe(false);
  });

  it('go when they are taken out', async () => {
    const endpoint = await freshEndpoint();
    const key = await freshDeployment(endpoint, 'luca', { environmentVariables: { TOKEN: 'x' } });
    const bare = await registry.put('online-deployment', key, deploymentSpec());
    expect(bare).toMatchObject({ changed: true, resource: { spec: { environmentVariables: {} } } });
  });

  it('cannot be written while auth is away, which is a retryable error and changes nothing', async () => {
    const endpoint = await freshEndpoint();
    const spec = deploymentSpec({ environmentVariables: { TOKEN: 'x' } });
    await registry.stopAuth();
    await expect(registry.put('online-deployment', `${endpoint}/luca`, spec)).rejects.toMatchObject({
      code: 'unavailable',
      reason: 'AUTH_UNAVAILABLE',
      message: expect.not.stringContaining('sock') as string,
    });
    await expect(registry.get('online-deployment', `${endpoint}/luca`)).rejects.toMatchObject({ code: 'not_found' });
    expect(await registry.put('online-deployment', `${endpoint}/nora`, deploymentSpec())).toMatchObject({
      created: true,
    });
    await registry.startAuth();
    const made = await eventually(() => registry.put('online-deployment', `${endpoint}/luca`, spec));
    expect(made).toMatchObject({ created: true });
  });
});
