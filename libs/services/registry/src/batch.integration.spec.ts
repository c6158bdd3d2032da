import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { batchJobDefaults, type ResourceKind } from '@mooring/domain';
import {
  batchDeploymentSpec,
  batchEndpointSpec,
  codeSpec,
  componentSpec,
  dataSpec,
  deploymentSpec,
  endpointSpec,
  modelSpec,
} from '@mooring/domain/testing';
import { startTestNats, tempDir, type TestNats } from '@mooring/testing';
import { startTestRegistry, type TestRegistry } from './testing/test-registry.ts';

const data = tempDir();
let nats: TestNats;
let registry: TestRegistry;

beforeAll(async () => {
  nats = await startTestNats();
  registry = await startTestRegistry(nats.environment, data.path);
  await registry.put('model', 'fern/1', modelSpec());
  await registry.put('batch-endpoint', 'kept', batchEndpointSpec());
});
afterAll(async () => {
  await registry.stop();
  await nats.stop();
  data.remove();
});

describe('the life of a batch endpoint', () => {
  it('goes from Creating to gone, its default deployment last but one', async () => {
    const made = await registry.put('batch-endpoint', 'Night', batchEndpointSpec());
    expect(made).toMatchObject({ created: true, resource: { state: 'Creating', generation: 1 } });
    await registry.end(made.resource);
    const luca = await registry.put('batch-deployment', 'night/Luca', batchDeploymentSpec());
    expect(luca.resource).toMatchObject({ key: 'Night/Luca', state: 'Creating' });
    await registry.end(luca.resource);
    const { resource } = await registry.put(
      'batch-endpoint',
      'night',
      batchEndpointSpec({ defaultDeployment: 'LUCA' }),
    );
    expect(resource.spec.defaultDeployment).toBe('luca');
    await registry.end(resource);
    await expect(registry.remove('batch-deployment', 'night/luca')).rejects.toMatchObject({
      reason: 'DEPLOYMENT_IS_DEFAULT',
    });
    const going = await registry.remove('batch-endpoint', 'night');
    await expect(registry.finalize(going)).rejects.toMatchObject({ reason: 'DEPLOYMENTS_LEFT' });
    await registry.finalize(await registry.remove('batch-deployment', 'night/luca'));
    await registry.finalize(going);
    await expect(registry.get('batch-endpoint', 'night')).rejects.toMatchObject({ reason: 'ENDPOINT_NOT_FOUND' });
  });

  it('shares its name with no online endpoint, also while that is on its way out', async () => {
    const online = (await registry.put('online-endpoint', 'day', endpointSpec())).resource;
    const asBatch = () => registry.put('batch-endpoint', 'DAY', batchEndpointSpec());
    const says = { problems: [{ path: 'name', problem: "there is an online endpoint 'day' already" }] };
    await expect(asBatch()).rejects.toMatchObject(says);
    const going = await registry.remove('online-endpoint', 'day');
    await expect(asBatch()).rejects.toMatchObject(says);
    await registry.finalize(going);
    expect(await asBatch()).toMatchObject({ created: true });
    await expect(registry.put('online-endpoint', online.key, endpointSpec())).rejects.toMatchObject({
      problems: [{ path: 'name', problem: "there is a batch endpoint 'DAY' already" }],
    });
  });

  it('is apart from online deployments of the same endpoint name', async () => {
    await expect(registry.put('online-deployment', 'kept/luca', deploymentSpec())).rejects.toMatchObject({
      problems: [{ path: 'endpointName', problem: "there is no online endpoint 'kept'" }],
    });
  });
});

describe('what a batch deployment is made of', () => {
  it('stays as long as the deployment does, and is kept unreadable where it may be secret', async () => {
    await registry.put('code', 'score/1', codeSpec());
    const code = { codeKey: 'score/1', scoringScript: 'score.py' };
    const environmentVariables = { TOKEN: 'hunter2' };
    const spec = batchDeploymentSpec({ code, environmentVariables });
    const { resource } = await registry.put('batch-deployment', 'kept/luca', spec);
    expect((await registry.get('batch-deployment', 'kept/luca')).spec).toEqual(spec);
    const stored = readdirSync(nats.storeDir, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
    expect(stored.some((bytes) => bytes.includes('kept/luca'))).toBe(true);
    expect(stored.some((bytes) => bytes.includes('hunter2'))).toBe(false);
    for (const kind of ['model', 'code'] as const) {
      const key = kind === 'model' ? 'fern/1' : 'score/1';
      await expect(registry.remove(kind, key)).rejects.toMatchObject({ reason: 'ASSET_IN_USE' });
    }
    await registry.finalize(await registry.remove('batch-deployment', resource.key));
    await registry.remove('code', 'score/1');
  });

  it('is written once: data and components get a new version for other content', async () => {
    await registry.put('data', 'photos/1', dataSpec());
    await registry.put('component', 'tidy/1', componentSpec());
    expect(await registry.put('data', 'photos/1', dataSpec({ tags: { a: 'b' } }))).toMatchObject({ changed: true });
    await expect(registry.put('data', 'photos/1', dataSpec({ path: 'data/other' }))).rejects.toMatchObject({
      problems: [{ path: 'path', expected: 'a new version' }],
    });
    const other = componentSpec({ component: { type: 'command', command: 'false' } });
    await expect(registry.put('component', 'tidy/1', other)).rejects.toMatchObject({
      problems: [{ path: 'component' }],
    });
  });

  it('is, of a pipeline, components that fit and that stay as long as it does', async () => {
    await registry.put('code', 'steps/1', codeSpec());
    const step = { type: 'command', command: 'cp ${{inputs.a}} ${{outputs.b}}', code: 'azureml:steps:1' };
    const ports = { inputs: { a: { type: 'uri_folder' } }, outputs: { b: { type: 'uri_folder' } } };
    await registry.put('component', 'copy/1', componentSpec({ component: { ...step, ...ports } }));
    const jobs = { one: { componentId: 'azureml:copy@latest', inputs: { a: '${{parent.inputs.raw}}' } } };
    const pipe = { type: 'pipeline', inputs: { raw: { type: 'uri_folder' } }, jobs };
    await registry.put('component', 'pipe/1', componentSpec({ component: pipe }));
    const pinned = { ...pipe, jobs: { one: { ...jobs.one, componentId: 'azureml:copy:1' } } };
    await registry.put('component', 'pipe/2', componentSpec({ component: pinned }));
    await expect(registry.remove('component', 'copy/1')).rejects.toMatchObject({ reason: 'ASSET_IN_USE' });
    await expect(registry.remove('code', 'steps/1')).rejects.toMatchObject({ reason: 'ASSET_IN_USE' });
    const broken = { ...pipe, jobs: { one: { ...jobs.one, inputs: {} }, two: { componentId: 'azureml:none:1' } } };
    await expect(registry.put('component', 'pipe/3', componentSpec({ component: broken }))).rejects.toMatchObject({
      problems: [{ path: 'component.jobs.two.componentId' }, { path: 'component.jobs.one.inputs.a' }],
    });
    const deployment = (component: string) => ({ ...pipeline, component });
    await expect(registry.put('batch-deployment', 'kept/other', deployment('copy/1'))).rejects.toMatchObject({
      problems: [{ path: 'component', expected: 'a component of type pipeline' }],
    });
    const made = await registry.put('batch-deployment', 'kept/pipe', deployment('pipe/2'));
    expect(made.resource.spec).toMatchObject({ type: 'pipeline', component: 'pipe/2' });
    await expect(registry.remove('component', 'pipe/2')).rejects.toMatchObject({ reason: 'ASSET_IN_USE' });
    // What it is made of stays as it is, so that changing its tags needs nothing of its steps.
    await registry.put('component', 'pipe/2', componentSpec({ component: pinned, tags: { a: 'b' } }));
    await registry.finalize(await registry.remove('batch-deployment', 'kept/pipe'));
  });
});

const pipeline = {
  tags: {},
  properties: {},
  type: 'pipeline',
  component: 'tidy/9',
  settings: { continueOnStepFailure: false, forceRerun: false },
} as const;
const job = (changes: object) => ({ job: { ...batchJobDefaults, ...changes } });

/** Paths of all problems, and what the expectation of one of them says. */
const malformed: [kind: ResourceKind, key: string, spec: object, paths: string[], expected: string][] = [
  ['batch-endpoint', 'kept', { ...batchEndpointSpec(), authMode: 'key' }, ['authMode'], 'aad_token'],
  ['batch-endpoint', 'kept', { ...batchEndpointSpec(), defaultDeployment: 'x' }, ['defaultDeployment'], 'none yet'],
  ['batch-endpoint', 'kept', { ...batchEndpointSpec(), defaultDeployment: 5 }, ['defaultDeployment'], 'text'],
  ['batch-endpoint', 'kept', { ...batchEndpointSpec(), traffic: {} }, ['traffic'], ''],
  ['batch-endpoint', 'k', batchEndpointSpec(), ['name'], '3 to 32 letters'],
  ...(
    [
      [{ model: 'fern' }, ['model'], "'name/version' of an asset"],
      [{ model: 'fern/9' }, ['model'], 'a registered model'],
      [{ model: undefined }, ['model'], 'text'],
      [{ type: 'pipelines' }, ['type'], 'model'],
      [{ compute: 'a b' }, ['compute'], 'the name of a compute'],
      [{ code: { codeKey: 'score/9', scoringScript: 'score.py' } }, ['code.codeKey'], 'a registered code'],
      [{ code: { codeKey: 'score/9', scoringScript: '../x.py' } }, ['code.scoringScript'], 'a .py file'],
      [{ environment: 'env/9' }, ['environment'], 'a registered environment'],
      [{ environmentVariables: { 'A=B': 'x' } }, ['environmentVariables.A=B'], "without '='"],
      [job({ instanceCount: 0 }), ['job.instanceCount'], 'at least 1'],
      [job({ maxConcurrencyPerInstance: 65 }), ['job.maxConcurrencyPerInstance'], 'at most 64'],
      [job({ miniBatchSize: 100_001 }), ['job.miniBatchSize'], 'at most 100000'],
      [job({ outputAction: 'append' }), ['job.outputAction'], 'one of: append_row'],
      [job({ outputFileName: '../x' }), ['job.outputFileName'], 'a plain file name'],
      [job({ outputFileName: '' }), ['job.outputFileName'], 'a plain file name'],
      [
        job({ retrySettings: { maxRetries: 101, timeoutS: 0 } }),
        ['job.retrySettings.maxRetries', 'job.retrySettings.timeoutS'],
        'at most 100',
      ],
      [job({ errorThreshold: -2 }), ['job.errorThreshold'], 'at least -1'],
      [job({ loggingLevel: 'trace' }), ['job.loggingLevel'], 'one of: debug'],
      [
        { job: {} },
        [
          'job.errorThreshold',
          'job.instanceCount',
          'job.loggingLevel',
          'job.maxConcurrencyPerInstance',
          'job.miniBatchSize',
          'job.outputAction',
          'job.outputFileName',
          'job.retrySettings',
        ],
        '',
      ],
      [{ instanceCount: 1 }, ['instanceCount'], ''],
      [{ properties: { 'mooring.rows': '1' } }, ['properties.mooring.rows'], 'one of: mooring.batch'],
    ] as [object, string[], string][]
  ).map(([changes, paths, expected]): (typeof malformed)[number] => [
    'batch-deployment',
    'kept/luca',
    { ...batchDeploymentSpec(), ...changes },
    paths,
    expected,
  ]),
  ['batch-deployment', 'none/luca', batchDeploymentSpec(), ['endpointName'], 'create it first'],
  ['batch-deployment', 'kept/luca', pipeline, ['component'], 'a registered component'],
  [
    'batch-deployment',
    'kept/luca',
    { ...pipeline, settings: { forceRerun: 1 } },
    ['component', 'settings.continueOnStepFailure', 'settings.forceRerun'],
    'true or false',
  ],
  ['data', 'photos/2', { ...dataSpec(), type: 'folder' }, ['type'], 'one of: uri_file'],
  ['data', 'photos/2', { ...dataSpec(), path: '../x' }, ['path'], 'a path in the artifact store'],
  ['data', 'ph otos/2', dataSpec(), ['name'], 'at most 255 letters'],
  ['component', 'tidy/2', { ...componentSpec(), component: 'true' }, ['component'], 'a map'],
];

describe('a malformed spec', () => {
  it.each(malformed)(
    'of a %s at %s is refused with all that is wrong ($#)',
    async (kind, key, spec, paths, expected) => {
      const refused = await registry.put(kind, key, JSON.stringify(spec)).then(
        () => undefined,
        (thrown: unknown) => thrown as { code: string; problems: { path: string; expected?: string }[] },
      );
      expect(refused).toMatchObject({ code: 'invalid_argument' });
      expect(refused?.problems.map(({ path }) => path).toSorted()).toEqual(paths);
      expect(refused?.problems.map((problem) => problem.expected ?? '').join('\n')).toContain(expected);
    },
  );
});
