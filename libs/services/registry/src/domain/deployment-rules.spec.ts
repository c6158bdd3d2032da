import { describe, expect, it } from 'vitest';
import type { OnlineDeploymentSpec } from '@mooring/domain';
import { deploymentSpec, environmentSpec, modelSpec } from '@mooring/domain/testing';
import { deploymentProblems, type DeploymentContext } from './deployment-rules.ts';

const code = { codeKey: 'score/1', scoringScript: 'score.py' };
const problemsOf = (changes: Partial<OnlineDeploymentSpec>, context: Partial<DeploymentContext> = {}) =>
  deploymentProblems(deploymentSpec(changes), {
    current: undefined,
    endpoint: { name: 'cars', state: 'Succeeded' },
    endpointName: 'cars',
    siblings: 0,
    references: { model: modelSpec(), environment: environmentSpec(), codeExists: true },
    ...context,
  });

const nothing = { model: undefined, environment: undefined, codeExists: false };
const ofType = (type: 'mlflow_model' | 'triton_model') => ({
  ...nothing,
  model: modelSpec({ type }),
  codeExists: true,
});

interface Case {
  why: string;
  changes?: Partial<OnlineDeploymentSpec>;
  context?: Partial<DeploymentContext>;
}

describe('a deployment', () => {
  it.each<Case>([
    { why: 'an ONNX model alone' },
    { why: 'a script with a model', changes: { code, environment: 'env/1' } },
    { why: 'an MLflow model with a script', changes: { code }, context: { references: ofType('mlflow_model') } },
    { why: 'an endpoint that failed', context: { endpoint: { name: 'cars', state: 'Failed' } } },
    { why: 'an endpoint that is being made', context: { endpoint: { name: 'cars', state: 'Creating' } } },
    { why: 'nineteen others', context: { siblings: 19 } },
    { why: 'twenty others when it is one of the old', context: { current: deploymentSpec(), siblings: 20 } },
    { why: 'variables', changes: { environmentVariables: { A: '${B}', C: '{{azureml:x}}' } } },
    {
      why: 'batching',
      changes: { properties: { 'mooring.batch.max-rows': '64', 'mooring.batch.max-delay-us': '500' } },
    },
    { why: 'properties of others', changes: { properties: { 'azureml.x': '1' } } },
  ])('may have $why', ({ changes, context }) => {
    expect(problemsOf(changes ?? {}, context)).toEqual([]);
  });

  it.each<Case & { paths: string[]; later?: true }>([
    { why: 'no endpoint', context: { endpoint: undefined }, paths: ['endpointName'] },
    {
      why: 'an endpoint on its way out',
      context: { endpoint: { name: 'cars', state: 'Deleting' } },
      paths: ['endpointName'],
    },
    { why: 'twenty others', context: { siblings: 20 }, paths: ['endpointName'] },
    { why: 'a model that is not there', context: { references: nothing }, paths: ['model'] },
    {
      why: 'nothing that is there',
      changes: { code, environment: 'env/1' },
      context: { references: nothing },
      paths: ['model', 'environment', 'code.codeKey'],
    },
    {
      why: 'an MLflow model alone',
      context: { references: ofType('mlflow_model') },
      paths: ['model'],
      later: true,
    },
    {
      why: 'a Triton model alone',
      context: { references: ofType('triton_model') },
      paths: ['model'],
      later: true,
    },
    {
      why: 'Windows',
      changes: { environment: 'env/1' },
      context: {
        references: { model: modelSpec(), environment: environmentSpec({ osType: 'windows' }), codeExists: true },
      },
      paths: ['environment'],
      later: true,
    },
    {
      why: 'secrets kept elsewhere',
      changes: {
        environmentVariables: {
          A: '${{keyvault:https://v/s}}',
          B: 'x${{ azureml://connections/c/credentials/k }}',
          C: 'plain',
        },
      },
      paths: ['environmentVariables.A', 'environmentVariables.B'],
      later: true,
    },
    {
      why: 'another egress than before',
      changes: { egressPublicNetworkAccess: 'disabled' },
      context: { current: deploymentSpec() },
      paths: ['egressPublicNetworkAccess'],
    },
    {
      why: 'settings out of range or unknown',
      changes: { properties: { 'mooring.batch.max-rows': '0', 'mooring.what': '1' } },
      paths: ['properties.mooring.batch.max-rows', 'properties.mooring.what'],
    },
  ])('may not have $why', ({ changes, context, paths, later }) => {
    const problems = problemsOf(changes ?? {}, context);
    expect(problems.map(({ path }) => path)).toEqual(paths);
    expect(problems.every((problem) => problem.later === true)).toBe(later === true);
  });

  it('needs a model or code', () => {
    const { model: _model, ...bare } = deploymentSpec();
    const context: DeploymentContext = {
      current: undefined,
      endpoint: { name: 'cars', state: 'Succeeded' },
      endpointName: 'cars',
      siblings: 0,
      references: { ...nothing, codeExists: true },
    };
    expect(deploymentProblems(bare, context)).toMatchObject([{ path: 'model' }]);
    expect(deploymentProblems({ ...bare, code }, context)).toEqual([]);
  });
});
