import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ResourceKind } from '@mooring/domain';
import { codeSpec, deploymentSpec, endpointSpec, environmentSpec, modelSpec } from '@mooring/domain/testing';
import { startTestNats, tempDir, type TestNats } from '@mooring/testing';
import { startTestRegistry, type TestRegistry } from './testing/test-registry.ts';

const data = tempDir();
let nats: TestNats;
let registry: TestRegistry;

beforeAll(async () => {
  nats = await startTestNats();
  registry = await startTestRegistry(nats.environment, data.path);
  await registry.put('model', 'fern/1', modelSpec());
  await registry.put('online-endpoint', 'cars', endpointSpec({ properties: { team: 'fleet' } }));
});
afterAll(async () => {
  await registry.stop();
  await nats.stop();
  data.remove();
});

interface Malformed {
  kind: ResourceKind;
  key: string;
  spec: object;
  /** Paths of all problems, in any order. */
  paths: string[];
  /** What the expectation of one of them says. */
  expected?: string;
}

const without = (spec: object, ...fields: string[]): object =>
  Object.fromEntries(Object.entries(spec).filter(([field]) => !fields.includes(field)));

const endpoint = (changes: object, paths: string[], expected?: string): Malformed => ({
  kind: 'online-endpoint',
  key: 'cars',
  spec: { ...endpointSpec({ properties: { team: 'fleet' } }), ...changes },
  paths,
  ...(expected === undefined ? {} : { expected }),
});
const deployment = (changes: object, paths: string[], expected?: string): Malformed => ({
  kind: 'online-deployment',
  key: 'cars/luca',
  spec: { ...deploymentSpec(), ...changes },
  paths,
  ...(expected === undefined ? {} : { expected }),
});
const model = (changes: object, paths: string[], expected?: string): Malformed => ({
  kind: 'model',
  key: 'new/1',
  spec: { ...modelSpec(), ...changes },
  paths,
  ...(expected === undefined ? {} : { expected }),
});
const environment = (changes: object, paths: string[], expected?: string): Malformed => ({
  kind: 'environment',
  key: 'env/1',
  spec: { ...environmentSpec(), ...changes },
  paths,
  ...(expected === undefined ? {} : { expected }),
});

const probe = deploymentSpec().livenessProbe;
const requestSettings = deploymentSpec().requestSettings;

const malformed: Malformed[] = [
  endpoint({ authMode: 'password' }, ['authMode'], 'one of: key, aml_token, aad_token'),
  endpoint({ authMode: 1 }, ['authMode'], 'one of'),
  endpoint({ traffic: { bruno: 100 } }, ['traffic.bruno'], 'one of: none yet'),
  endpoint({ traffic: { luca: 'all' } }, ['traffic.luca'], 'a number'),
  endpoint({ traffic: { ['x'.repeat(9_000)]: 100 } }, [`traffic.${'x'.repeat(292)}...`], 'one of: none yet'),
  endpoint({ ['y'.repeat(9_000)]: 100 }, [`${'y'.repeat(300)}...`]),
  endpoint({ traffic: [100] }, ['traffic'], 'a map'),
  endpoint({ traffic: null }, ['traffic'], 'a map'),
  endpoint({ tags: { a: 1 } }, ['tags.a'], 'text'),
  endpoint({ tags: { '': 'x' } }, ['tags.'], '1 to 256 characters'),
  endpoint({ properties: {} }, ['properties.team'], 'the property'),
  endpoint({ publicNetworkAccess: 'maybe' }, ['publicNetworkAccess'], 'one of: enabled, disabled'),
  endpoint({ identity: { type: 'mine' } }, ['identity.type'], 'system_assigned'),
  endpoint({ identity: 'system_assigned' }, ['identity'], 'an object'),
  endpoint({ trafic: {} }, ['trafic']),
  endpoint({ description: 'd'.repeat(9_000) }, ['description'], 'at most 8192 characters'),
  { ...endpoint({}, ['name', 'traffic'], '3 to 32 letters'), key: 'c', spec: endpointSpec({ traffic: { x: 100 } }) },
  { ...endpoint({}, ['authMode'], 'one of'), spec: without(endpointSpec({ properties: { team: 'x' } }), 'authMode') },
  endpoint({ authMode: 'x', traffic: { a: 1 }, mirrorTraffic: { b: 99 } }, [
    'authMode',
    'traffic',
    'traffic.a',
    'mirrorTraffic.b',
    'mirrorTraffic.b',
  ]),

  deployment({ instanceCount: 0 }, ['instanceCount'], 'at least 1'),
  deployment({ instanceCount: 51 }, ['instanceCount'], 'at most 50'),
  deployment({ instanceCount: 1.5 }, ['instanceCount'], 'a whole number'),
  deployment({ instanceCount: '1' }, ['instanceCount'], 'a number'),
  deployment({ instanceType: 'a b' }, ['instanceType'], 'the name of an instance type'),
  deployment(
    { requestSettings: { ...requestSettings, requestTimeoutMs: 180_001 } },
    ['requestSettings.requestTimeoutMs'],
    'at most 180000',
  ),
  deployment(
    { requestSettings: { ...requestSettings, maxConcurrentRequestsPerInstance: 0 } },
    ['requestSettings.maxConcurrentRequestsPerInstance'],
    'at least 1',
  ),
  deployment(
    { requestSettings: { ...requestSettings, maxQueueWaitMs: -1 } },
    ['requestSettings.maxQueueWaitMs'],
    'at least 0',
  ),
  deployment({ requestSettings: { ...requestSettings, timeout: 1 } }, ['requestSettings.timeout']),
  deployment({ livenessProbe: { ...probe, successThreshold: 2 } }, ['livenessProbe.successThreshold'], '1'),
  deployment(
    { readinessProbe: { ...probe, periodS: 0, timeoutS: 0 } },
    ['readinessProbe.periodS', 'readinessProbe.timeoutS'],
    'at least 1',
  ),
  deployment({ livenessProbe: without(probe, 'periodS') }, ['livenessProbe.periodS']),
  deployment({ scaleSettings: { type: 'fixed' } }, ['scaleSettings.type'], 'default'),
  deployment({ model: 'fern' }, ['model'], "'name/version' of an asset"),
  deployment({ model: 'fern@latest' }, ['model'], "'name/version' of an asset"),
  deployment({ model: 'fern/2' }, ['model'], 'a registered model'),
  deployment({ model: `${'m'.repeat(9_000)}/1` }, ['model'], "'name/version' of an asset"),
  deployment({ model: '../x' }, ['model'], "'name/version' of an asset"),
  deployment({ environment: 'env/9' }, ['environment'], 'a registered environment'),
  deployment({ code: { codeKey: 'score/1', scoringScript: 'score.py' } }, ['code.codeKey'], 'a registered code'),
  deployment({ code: { codeKey: 'score/1', scoringScript: '../score.py' } }, ['code.scoringScript'], 'a .py file'),
  deployment({ code: { codeKey: 'score/1', scoringScript: 'score.sh' } }, ['code.scoringScript'], 'a .py file'),
  deployment({ code: { codeKey: 'score/1' } }, ['code.scoringScript'], 'text'),
  deployment({ modelMountPath: 'var/x' }, ['modelMountPath'], 'an absolute path'),
  deployment({ modelMountPath: '/var/../etc' }, ['modelMountPath'], 'an absolute path'),
  deployment({ environmentVariables: { 'A=B': 'x' } }, ['environmentVariables.A=B'], "without '='"),
  deployment({ environmentVariables: { A: 5 } }, ['environmentVariables.A'], 'text'),
  deployment({ environmentVariables: { A: 'x\0y' } }, ['environmentVariables.A'], 'without NUL'),
  deployment(
    { properties: { 'mooring.batch.max-rows': 'many' } },
    ['properties.mooring.batch.max-rows'],
    'a whole number from 1',
  ),
  deployment({ properties: { 'mooring.bach': '1' } }, ['properties.mooring.bach'], 'one of: mooring.'),
  deployment({ appInsightsEnabled: 'yes' }, ['appInsightsEnabled'], 'true or false'),
  deployment({ egressPublicNetworkAccess: 'off' }, ['egressPublicNetworkAccess'], 'one of: enabled, disabled'),
  deployment({ instanceCuont: 2 }, ['instanceCuont']),
  { ...deployment({}, ['model'], 'a model, or code'), spec: without(deploymentSpec(), 'model') },
  { ...deployment({}, ['endpointName'], 'create it first'), key: 'boats/luca' },
  { ...deployment({}, ['endpointName', 'name'], '3 to 32 letters'), key: 'b/l' },
  deployment({ instanceCount: -1, model: 'fern/7', environment: 'x', modelMountPath: 1 }, [
    'instanceCount',
    'model',
    'environment',
    'modelMountPath',
  ]),

  model({ path: '../secrets' }, ['path'], 'a path in the artifact store'),
  model({ path: '/etc' }, ['path'], 'a path in the artifact store'),
  model({ path: 'a//b' }, ['path'], 'a path in the artifact store'),
  model({ path: 'a\\b' }, ['path'], 'a path in the artifact store'),
  model({ path: '' }, ['path'], 'a path in the artifact store'),
  model({ type: 'onnx' }, ['type'], 'one of: custom_model'),
  model({ isAnonymous: 1 }, ['isAnonymous'], 'true or false'),
  model({ stage: 's'.repeat(300) }, ['stage'], 'at most 256 characters'),
  { ...model({}, ['path'], 'a new version'), key: 'fern/1', spec: modelSpec({ path: 'models/other' }) },
  { ...model({}, ['version'], 'at most 255 letters'), key: 'new/1 0' },

  environment({ osType: 'mac' }, ['osType'], 'one of: linux, windows'),
  environment({ image: 'two words' }, ['image'], 'the name of a container image'),
  environment({ build: { contextPath: 'a', dockerfilePath: 'Dockerfile' } }, ['build'], 'either image or build'),
  environment({ condaFile: {} }, ['condaFile'], 'text'),
  { ...environment({}, ['image'], 'an image or a build context'), spec: without(environmentSpec(), 'image') },
  { kind: 'code', key: 'score/1', spec: without(codeSpec(), 'path'), paths: ['path'], expected: 'text' },
];

describe('a malformed spec', () => {
  it.each(malformed)(
    '$kind with $paths is refused with all that is wrong and what would be right ($#)',
    async (given) => {
      const refused = await registry.put(given.kind, given.key, JSON.stringify(given.spec)).then(
        () => undefined,
        (thrown: unknown) =>
          thrown as { code: string; reason: string; problems: { path: string; expected?: string }[] },
      );
      expect(refused).toMatchObject({ code: 'invalid_argument', reason: 'VALIDATION_FAILED' });
      expect(refused?.problems.map(({ path }) => path).toSorted()).toEqual(given.paths.toSorted());
      if (given.expected !== undefined) {
        expect(refused?.problems.map(({ expected }) => expected ?? '').join('\n')).toContain(given.expected);
      }
    },
  );

  it.each([
    {
      kind: 'online-endpoint',
      key: 'cars',
      spec: { ...endpointSpec(), authMode: 'aml_token', properties: { team: 'x' } },
    },
    { kind: 'online-endpoint', key: 'cars', spec: { ...endpointSpec({ properties: { team: 'x' } }), compute: 'k8s' } },
    {
      kind: 'online-deployment',
      key: 'cars/luca',
      spec: { ...deploymentSpec(), scaleSettings: { type: 'target_utilization' } },
    },
    { kind: 'online-deployment', key: 'cars/luca', spec: { ...deploymentSpec(), startupProbe: probe } },
    { kind: 'environment', key: 'env/1', spec: { ...environmentSpec(), inferenceConfig: {} } },
  ] as const)('that is only ahead of its time is told so: $kind', async ({ kind, key, spec }) => {
    await expect(registry.put(kind, key, JSON.stringify(spec))).rejects.toMatchObject({
      code: 'unimplemented',
      reason: 'NOT_SUPPORTED_YET',
    });
  });

  it.each(['', 'null', '[]', '"text"', '{', '{"a":}', '42'])(
    'that is no JSON object is refused: %s',
    async (specJson) => {
      const put = registry.call('putResource', {
        kind: 'model',
        key: 'new/1',
        specJson,
        ifMatch: '',
        principal: 'ada',
      });
      await expect(put).rejects.toMatchObject({ code: 'invalid_argument', problems: [{ path: 'spec' }] });
    },
  );

  it('that is too large is refused, and what is just small enough is taken', async () => {
    const tags = (bytes: number) => modelSpec({ tags: { t: 'x'.repeat(bytes) } });
    await expect(registry.put('model', 'large/1', tags(2 ** 20))).rejects.toMatchObject({ code: 'too_large' });
    expect(await registry.put('model', 'large/1', tags(2 ** 20 - 1_000))).toMatchObject({ created: true });
  });

  it('leaves nothing behind', async () => {
    const all = { parent: '', pageSize: 0, pageToken: '' };
    for (const kind of ['online-deployment', 'environment', 'code']) {
      expect((await registry.call('listResources', { kind, ...all })).resources).toEqual([]);
    }
    expect(await registry.get('online-endpoint', 'cars')).toMatchObject({ generation: 1 });
  });

  it('never shows a value of an environment variable', async () => {
    const spec = { ...deploymentSpec(), environmentVariables: { A: 'hunter2\0', B: 4711 } };
    const refused = await registry.put('online-deployment', 'cars/luca', JSON.stringify(spec)).catch(String);
    expect(refused).toMatch(/environmentVariables\.A: .*environmentVariables\.B: /);
    expect(refused).not.toMatch(/hunter2|4711/);
  });
});
