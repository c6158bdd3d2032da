import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deploymentSpec, endpointSpec } from './testing/specs.ts';
import { irisModel, startTestGround, type TestGround } from './testing/test-ground.ts';

let ground: TestGround;
const quickProbe = { initialDelayS: 1, periodS: 1, timeoutS: 2, successThreshold: 1, failureThreshold: 30 };
const iris = (overrides = {}) =>
  deploymentSpec({
    properties: { 'mooring.cpu': '1', 'mooring.memory-mib': '512' },
    readinessProbe: quickProbe,
    livenessProbe: quickProbe,
    ...overrides,
  });

beforeAll(async () => {
  ground = await startTestGround();
  await ground.addModel('iris/1', irisModel);
});
afterAll(() => ground.stop());

describe('a deployment', () => {
  it('serves once it succeeded, and says that it is not ready before', async () => {
    await ground.put('online-endpoint', 'Flowers', endpointSpec());
    expect((await ground.settled('online-endpoint', 'Flowers')).state).toBe('Succeeded');
    await ground.put('online-deployment', 'Flowers/blue', iris());
    expect((await ground.settled('online-deployment', 'Flowers/blue')).state).toBe('Succeeded');
    expect(await ground.score('Flowers', 'blue')).toEqual({ code: 0, details: '' });
  });
});
