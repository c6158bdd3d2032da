import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestNats, tempDir, type TestNats } from '@mooring/testing';
import { deploymentSpec, endpointSpec, modelSpec } from './testing/specs.ts';
import { startTestRegistry, type TestRegistry } from './testing/test-registry.ts';

let nats: TestNats;
let registry: TestRegistry;
const data = tempDir();

beforeAll(async () => {
  nats = await startTestNats();
  registry = await startTestRegistry(nats.environment, data.path);
});
afterAll(async () => {
  await registry.stop();
  await nats.stop();
  data.remove();
});

describe('the life of an endpoint', () => {
  it('goes from Creating to gone, each step told by its operation', async () => {
    await registry.put('model', 'fern/1', modelSpec());
    const made = await registry.put('online-endpoint', 'cars', endpointSpec());
    expect(made).toMatchObject({ created: true, changed: true, resource: { state: 'Creating', generation: 1 } });
    await registry.end(made.resource);
    expect(await registry.get('online-endpoint', 'CARS')).toMatchObject({ state: 'Succeeded', key: 'cars' });
    const luca = await registry.put(
      'online-deployment',
      'Cars/luca',
      deploymentSpec({ environmentVariables: { TOKEN: 's3cret' } }),
    );
    expect(luca.resource).toMatchObject({ key: 'cars/luca', spec: { environmentVariables: { TOKEN: 's3cret' } } });
    const going = await registry.remove('online-endpoint', 'cars');
    expect(going).toMatchObject({ state: 'Deleting' });
    await expect(registry.finalize(going)).rejects.toMatchObject({ reason: 'DEPLOYMENTS_LEFT' });
    const lucaGoing = await registry.remove('online-deployment', 'cars/luca');
    await registry.finalize(lucaGoing);
    await registry.finalize(going);
    await expect(registry.get('online-endpoint', 'cars')).rejects.toMatchObject({ reason: 'ENDPOINT_NOT_FOUND' });
    expect(await registry.operation(going.operation.id)).toMatchObject({ verb: 'delete', status: 'Succeeded' });
    const nothing = { kind: 'online-endpoint', key: 'cars', ifMatch: '', principal: 'ada' };
    expect(await registry.call('deleteResource', nothing)).toEqual({ resource: undefined });
    const again = await registry.put('online-endpoint', 'cars', endpointSpec());
    expect(again.resource.generation).toBe(3);
  });
});
