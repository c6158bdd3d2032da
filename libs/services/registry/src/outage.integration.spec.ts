import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deploymentSpec, endpointSpec, modelSpec } from '@mooring/domain/testing';
import { eventually, startTestNats, tempDir, type TestNats } from '@mooring/testing';
import { startTestRegistry, type TestRegistry } from './testing/test-registry.ts';

const data = tempDir();
let nats: TestNats;
let registry: TestRegistry;

beforeAll(async () => {
  nats = await startTestNats();
  registry = await startTestRegistry(nats.environment, data.path);
  await registry.put('model', 'fern/1', modelSpec());
  await registry.end((await registry.put('online-endpoint', 'cars', endpointSpec())).resource);
});
afterAll(async () => {
  await registry.stop();
  await nats.stop();
  data.remove();
});

const away = { code: 'unavailable', reason: 'STATE_STORE_UNAVAILABLE' };
const list = { kind: 'online-endpoint', parent: '', pageSize: 0, pageToken: '' };

describe('while NATS is away', () => {
  it('every call is refused with a retryable error, nothing is half done, and it works again by itself', async () => {
    const { resource } = await registry.put('online-deployment', 'cars/luca', deploymentSpec());
    await nats.kill();
    const begun = performance.now();
    await Promise.all([
      expect(registry.put('online-endpoint', 'boats', endpointSpec())).rejects.toMatchObject(away),
      expect(registry.put('online-endpoint', 'cars', endpointSpec({ tags: { a: '1' } }))).rejects.toMatchObject(away),
      expect(registry.get('online-endpoint', 'cars')).rejects.toMatchObject(away),
      expect(registry.call('listResources', list)).rejects.toMatchObject(away),
      expect(registry.remove('online-endpoint', 'cars')).rejects.toMatchObject(away),
      expect(registry.operation(resource.operation.id)).rejects.toMatchObject(away),
      expect(registry.call('listRevisions', { kind: 'online-endpoint', key: 'cars' })).rejects.toMatchObject(away),
      expect(registry.end(resource)).rejects.toMatchObject(away),
      expect(registry.finalize(resource)).rejects.toMatchObject(away),
    ]);
    expect(performance.now() - begun).toBeLessThan(10_000);
    // What cannot be right is still told at once.
    await expect(registry.put('online-endpoint', 'cars', 'null')).rejects.toMatchObject({ code: 'invalid_argument' });

    await nats.resume();
    const cars = await eventually(() => registry.get('online-endpoint', 'cars'), { timeoutMs: 15_000 });
    expect(cars).toMatchObject({ generation: 1, state: 'Succeeded' });
    await expect(registry.get('online-endpoint', 'boats')).rejects.toMatchObject({ code: 'not_found' });
    expect(await registry.operation(resource.operation.id)).toMatchObject({ status: 'InProgress' });
    await registry.end(resource);
    expect(await registry.get('online-deployment', 'cars/luca')).toMatchObject({ state: 'Succeeded' });
    expect(await registry.put('online-endpoint', 'boats', endpointSpec())).toMatchObject({ created: true });
  });

  it('writers who go on trying lose nothing and see no generation twice, whenever NATS is killed', async () => {
    const accepted: number[] = [];
    let stopped = false;
    const writer = async (name: string): Promise<void> => {
      let written = 0;
      while (!stopped) {
        const spec = endpointSpec({ tags: { [name]: `${written}` } });
        try {
          const { resource, changed } = await registry.put('online-endpoint', 'cars', spec);
          written += 1;
          if (changed) accepted.push(resource.generation);
        } catch (thrown) {
          expect(thrown).toMatchObject(away);
        }
      }
    };
    const writers = ['a', 'b', 'c'].map((name) => writer(name));
    for (let round = 0; round < 3; round += 1) {
      const before = accepted.length;
      await eventually(() => accepted.length >= before + 10, { timeoutMs: 20_000 });
      await nats.kill();
      await nats.resume();
    }
    const before = accepted.length;
    await eventually(() => accepted.length >= before + 10, { timeoutMs: 20_000 });
    stopped = true;
    await Promise.all(writers);
    expect(new Set(accepted).size).toBe(accepted.length);
    const { generation } = await registry.get('online-endpoint', 'cars');
    expect(generation).toBeGreaterThanOrEqual(Math.max(...accepted));
  });

  it('a registry that was started anew goes on where the other one was', async () => {
    const { resource } = await registry.put('online-endpoint', 'planes', endpointSpec());
    await registry.restart();
    expect(await registry.operation(resource.operation.id)).toMatchObject({ status: 'InProgress' });
    await registry.end(resource);
    expect(await registry.get('online-endpoint', 'planes')).toMatchObject({ state: 'Succeeded' });
  });
});
