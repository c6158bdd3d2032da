import { describe, expect, it } from 'vitest';
import { deploymentSpec, endpointSpec } from '@mooring/domain/testing';
import { checkAssetUnused, checkDeploymentUnused } from './delete-rules.ts';
import { addressOf } from './keys.ts';

const luca = addressOf('online-deployment', 'cars', 'Luca');
const endpoint = (state: string, changes: Parameters<typeof endpointSpec>[0]) => ({
  name: 'cars',
  state,
  spec: endpointSpec(changes),
});

describe('checkDeploymentUnused', () => {
  it.each([
    { why: 'without an endpoint', given: undefined },
    { why: 'without traffic', given: endpoint('Succeeded', { traffic: { martina: 100 } }) },
    { why: 'when everything goes', given: endpoint('Deleting', { traffic: { luca: 100 } }) },
  ])('lets a deployment go $why', ({ given }) => {
    expect(() => checkDeploymentUnused(luca, given)).not.toThrow();
  });

  it.each([
    {
      given: endpoint('Succeeded', { traffic: { luca: 10, martina: 90 } }),
      reason: 'DEPLOYMENT_HAS_TRAFFIC',
    },
    { given: endpoint('Failed', { mirrorTraffic: { luca: 5 } }), reason: 'DEPLOYMENT_IS_MIRRORED' },
  ])('keeps a deployment: $reason', ({ given, reason }) => {
    expect(() => checkDeploymentUnused(luca, given)).toThrow(
      expect.objectContaining({ code: 'failed_precondition', reason }),
    );
  });

  it('is not misled by names of built-in things', () => {
    const address = addressOf('online-deployment', 'cars', 'constructor');
    expect(() => checkDeploymentUnused(address, endpoint('Succeeded', {}))).not.toThrow();
  });
});

describe('checkAssetUnused', () => {
  const deployments = [
    {
      key: 'cars/luca',
      spec: deploymentSpec({
        model: 'Fern/1',
        environment: 'env/2',
        code: { codeKey: 'score/3', scoringScript: 'score.py' },
      }),
    },
  ];

  it.each([addressOf('model', 'fern', '1'), addressOf('environment', 'Env', '2'), addressOf('code', 'score', '3')])(
    'keeps the $kind $key',
    (address) => {
      expect(() => checkAssetUnused(address, deployments)).toThrow(/is used by cars\/luca; change or delete/);
    },
  );

  it.each([
    addressOf('model', 'fern', '2'),
    addressOf('model', 'env', '2'),
    addressOf('environment', 'fern', '1'),
    addressOf('code', 'score', '33'),
  ])('lets the $kind $key go', (address) => {
    expect(() => checkAssetUnused(address, deployments)).not.toThrow();
  });

  it('names a few users of many', () => {
    const many = Array.from({ length: 9 }, (_none, index) => ({ key: `cars/d${index}`, spec: deploymentSpec() }));
    expect(() => checkAssetUnused(addressOf('model', 'fern', '1'), many)).toThrow(/cars\/d4 and others;/);
  });
});
