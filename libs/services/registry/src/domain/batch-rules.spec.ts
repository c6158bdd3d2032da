import { describe, expect, it } from 'vitest';
import type { BatchDeploymentSpec, BatchEndpointSpec } from '@mooring/domain';
import {
  batchDeploymentSpec,
  batchEndpointSpec,
  componentSpec,
  environmentSpec,
  modelSpec,
} from '@mooring/domain/testing';
import {
  batchDeploymentProblems,
  batchEndpointProblems,
  normalizeBatchEndpoint,
  type BatchDeploymentContext,
} from './batch-rules.ts';
import { checkAssetUnused, checkNotDefault } from './delete-rules.ts';
import { namesakeProblems } from './endpoint-rules.ts';
import { addressOf } from './keys.ts';

const deployments = new Set(['luca', 'martina']);
const endpointProblems = (changes: Partial<BatchEndpointSpec>, current: BatchEndpointSpec | undefined) =>
  batchEndpointProblems(batchEndpointSpec(changes), { current, deployments });

describe('a batch endpoint', () => {
  it('may have one of its deployments as the default, by a name in any case', () => {
    const spec = batchEndpointSpec({ defaultDeployment: 'Luca' });
    expect(endpointProblems(spec, batchEndpointSpec())).toEqual([]);
    expect(normalizeBatchEndpoint(spec).defaultDeployment).toBe('luca');
    expect(normalizeBatchEndpoint(batchEndpointSpec())).toEqual(batchEndpointSpec());
  });

  it.each([
    { why: 'one that does not exist', name: 'bruno', current: batchEndpointSpec(), expected: 'one of: luca, martina' },
    { why: 'one when it is made', name: 'luca', current: undefined, expected: /update the endpoint once/ },
  ])('may not have a default: $why', ({ name, current, expected }) => {
    const problems = endpointProblems({ defaultDeployment: name }, current);
    expect(problems).toMatchObject([{ path: 'defaultDeployment' }]);
    expect(problems[0]?.expected).toMatch(expected);
  });

  it('keeps its properties', () => {
    expect(endpointProblems({}, batchEndpointSpec({ properties: { team: 'x' } }))).toMatchObject([
      { path: 'properties.team' },
    ]);
  });

  it('shares its name with no online endpoint, nor the other way round', () => {
    expect(namesakeProblems(undefined, 'cars')).toEqual([]);
    expect(namesakeProblems('online-endpoint', 'cars')[0]?.problem).toBe("there is an online endpoint 'cars' already");
    expect(namesakeProblems('batch-endpoint', 'cars')[0]?.problem).toBe("there is a batch endpoint 'cars' already");
  });
});

const pipeline = {
  tags: {},
  properties: {},
  type: 'pipeline',
  component: 'tidy/1',
  settings: { continueOnStepFailure: false, forceRerun: false },
} as const;
const pipelineSpec = componentSpec({ component: { type: 'pipeline', jobs: {} } });
const all = { model: modelSpec(), environment: environmentSpec(), codeExists: true, component: pipelineSpec };
const none = { model: undefined, environment: undefined, codeExists: false, component: undefined };
const pathsOf = (spec: BatchDeploymentSpec, context: Partial<BatchDeploymentContext> = {}): string[] =>
  batchDeploymentProblems(spec, {
    current: undefined,
    endpoint: { name: 'night', state: 'Succeeded' },
    endpointName: 'night',
    siblings: 0,
    references: all,
    ...context,
  }).map(({ path }) => path);
const code = { codeKey: 'score/1', scoringScript: 'score.py' };

describe('a batch deployment', () => {
  it.each([
    { why: 'an ONNX model alone', spec: batchDeploymentSpec() },
    { why: 'a script, an environment and a model', spec: batchDeploymentSpec({ code, environment: 'env/1' }) },
    { why: 'rows', spec: batchDeploymentSpec({ properties: { 'mooring.batch.rows-per-mini-batch': '500' } }) },
    { why: 'a pipeline component', spec: pipeline },
  ])('may have $why', ({ spec }) => expect(pathsOf(spec)).toEqual([]));

  it.each([
    { why: 'no endpoint', context: { endpoint: undefined }, paths: ['endpointName'] },
    {
      why: 'an endpoint on its way out',
      context: { endpoint: { name: 'n', state: 'Deleting' } },
      paths: ['endpointName'],
    },
    { why: 'twenty others', context: { siblings: 20 }, paths: ['endpointName'] },
    { why: 'another type than before', context: { current: pipeline }, paths: ['type'] },
    {
      why: 'versions that do not exist',
      spec: batchDeploymentSpec({ code, environment: 'env/1' }),
      context: { references: none },
      paths: ['model', 'environment', 'code.codeKey'],
    },
    {
      why: 'an MLflow model without code',
      context: { references: { ...all, model: modelSpec({ type: 'mlflow_model' }) } },
      paths: ['model'],
    },
    { why: 'no component', spec: pipeline, context: { references: none }, paths: ['component'] },
    {
      why: 'a component that is no pipeline',
      spec: pipeline,
      context: { references: { ...all, component: componentSpec() } },
      paths: ['component'],
    },
    {
      why: 'settings of online deployments',
      spec: batchDeploymentSpec({ properties: { 'mooring.batch.max-rows': '5' } }),
      paths: ['properties.mooring.batch.max-rows'],
    },
    {
      why: 'secrets kept elsewhere',
      spec: batchDeploymentSpec({ environmentVariables: { A: '${{azureml://connections/c/credentials/k}}' } }),
      paths: ['environmentVariables.A'],
    },
  ])('may not have $why', ({ spec = batchDeploymentSpec(), context = {}, paths }) => {
    expect(pathsOf(spec, context)).toEqual(paths);
  });

  it('stays while it is the default, unless everything goes', () => {
    const luca = addressOf('batch-deployment', 'night', 'LUCA');
    const endpoint = (state: string) => ({
      name: 'night',
      state,
      spec: batchEndpointSpec({ defaultDeployment: 'luca' }),
    });
    expect(() => checkNotDefault(luca, endpoint('Succeeded'))).toThrow(
      expect.objectContaining({ code: 'failed_precondition', reason: 'DEPLOYMENT_IS_DEFAULT' }),
    );
    for (const given of [endpoint('Deleting'), undefined]) expect(() => checkNotDefault(luca, given)).not.toThrow();
    expect(() => checkNotDefault(addressOf('batch-deployment', 'night', 'nora'), endpoint('Succeeded'))).not.toThrow();
  });

  it('keeps what it is made of', () => {
    const users = [
      { key: 'night/luca', spec: batchDeploymentSpec({ model: 'Fern/1' }) },
      { key: 'night/p', spec: pipeline },
    ];
    for (const kept of [addressOf('model', 'fern', '1'), addressOf('component', 'tidy', '1')])
      expect(() => checkAssetUnused(kept, users)).toThrow(/is used by night/);
    expect(() => checkAssetUnused(addressOf('data', 'fern', '1'), users)).not.toThrow();
  });
});
