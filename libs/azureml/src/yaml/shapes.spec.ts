import { fixture } from '@mooring/testing';
import { describe, expect, it } from 'vitest';
import { isoFromMs, loadValue, loadYaml, msFromIso, yamlShapeOf, type YamlKind } from './index.ts';

const workspace = '/subscriptions/s/resourceGroups/r/providers/Microsoft.MachineLearningServices/workspaces/w';

describe('yamlShapeOf', () => {
  it('prints an endpoint with the field names of `az ml`', () => {
    const body = {
      id: `${workspace}/onlineEndpoints/cars`,
      name: 'cars',
      location: 'local',
      kind: 'Managed',
      tags: { a: 'b' },
      identity: { type: 'SystemAssigned', principalId: 'p' },
      systemData: { createdAt: '2026-01-01T00:00:00Z', createdBy: 'me' },
      properties: {
        authMode: 'Key',
        traffic: { luca: 100 },
        mirrorTraffic: {},
        scoringUri: 'http://x/score',
        swaggerUri: 'http://x/swagger.json',
        provisioningState: 'Succeeded',
        publicNetworkAccess: 'Enabled',
        properties: {},
        mooring: { error: { code: 'X' }, warnings: ['slow'] },
      },
    };
    expect(yamlShapeOf('online-endpoint', body)).toEqual({
      name: 'cars',
      tags: { a: 'b' },
      properties: {},
      id: `${workspace}/onlineEndpoints/cars`,
      auth_mode: 'key',
      traffic: { luca: 100 },
      mirror_traffic: {},
      scoring_uri: 'http://x/score',
      openapi_uri: 'http://x/swagger.json',
      provisioning_state: 'Succeeded',
      public_network_access: 'enabled',
      identity: { type: 'system_assigned', principal_id: 'p' },
      kind: 'Managed',
      location: 'local',
      creation_context: { created_at: '2026-01-01T00:00:00Z', created_by: 'me' },
      provisioning_error: { code: 'X' },
      warnings: ['slow'],
    });
  });

  it.each<[YamlKind, string]>([
    ['online-endpoint', '01-online-endpoint-key.yml'],
    ['online-deployment', '04-online-deployment-registered-full.yml'],
  ])('prints an %s that reads back as the same body', async (kind, name) => {
    const draft = await loadYaml(fixture(`azureml-yaml/${name}`), { kind });
    const id = `${workspace}/onlineEndpoints/fern-scoring/deployments/green`;
    const code = { codeId: `${workspace}/codes/c/versions/1`, scoringScript: 'score.py' };
    const stored = {
      ...draft.body,
      id,
      name: draft.name,
      properties: {
        ...draft.body.properties,
        ...(kind === 'online-deployment'
          ? { model: `${workspace}/models/m/versions/1`, environmentId: `${workspace}/environments/e/versions/1` }
          : {}),
        ...(kind === 'online-deployment' ? { codeConfiguration: code } : {}),
        provisioningState: 'Succeeded',
      },
    };
    const again = await loadValue(yamlShapeOf(kind, stored), { kind, what: 'it', baseDir: '/' });
    // `show` prints the tables that a new endpoint has none of.
    const { traffic: _traffic, mirrorTraffic: _mirror, ...properties } = again.body.properties;
    expect({ ...again.body, properties }).toEqual(draft.body);
  });

  it('prints a version of a model by its name, not by its version', () => {
    const body = { id: `${workspace}/models/fern/versions/3`, name: '3', properties: { modelType: 'custom_model' } };
    expect(yamlShapeOf('model', body)).toMatchObject({ name: 'fern', version: '3', type: 'custom_model' });
  });

  it('prints a conda file as the mapping it holds', () => {
    const id = `${workspace}/environments/e/versions/1`;
    expect(yamlShapeOf('environment', { id, properties: { image: 'i', condaFile: 'name: x\n' } })).toMatchObject({
      conda_file: { name: 'x' },
    });
    expect(yamlShapeOf('environment', { id, properties: { condaFile: '[' } })).toMatchObject({ conda_file: '[' });
  });

  it('tells where the model of a deployment runs', () => {
    const placement = { chosen: 'inline', runUs: 7, why: 'it is tiny', inline: { file: '/m' } };
    expect(yamlShapeOf('online-deployment', { properties: { mooring: { placement } } })).toMatchObject({
      placement: { chosen: 'inline', run_us: 7, why: 'it is tiny' },
    });
  });

  it.each([undefined, null, 'x', [], { properties: 1 }, { properties: { traffic: null }, id: 7 }])(
    'does not fail over %j',
    (body) => {
      for (const kind of [
        'online-endpoint',
        'online-deployment',
        'batch-endpoint',
        'batch-deployment',
        'model',
        'environment',
        'data',
      ] as const)
        expect(yamlShapeOf(kind, body)).toBeTypeOf('object');
    },
  );
});

describe('durations', () => {
  it.each([
    [9000, 'PT9S'],
    [500, 'PT0.5S'],
    [100, 'PT0.1S'],
    [1, 'PT0.001S'],
    [0, 'PT0S'],
    [180_000, 'PT180S'],
  ])('writes %d ms as %s and reads it back', (ms, iso) => {
    expect(isoFromMs(ms)).toBe(iso);
    expect(msFromIso(iso)).toBe(ms);
  });

  it.each([
    ['PT1M', 60_000],
    ['P1DT1H', 90_000_000],
    ['pt1.5s', 1500],
  ])('reads %s as %d ms', (iso, ms) => expect(msFromIso(iso)).toBe(ms));

  it.each(['', 'P', 'PT', '5', 'PT5', 'P1M', 'PT-1S', 'PT1S '])('does not read %j', (iso) =>
    expect(msFromIso(iso)).toBeUndefined(),
  );
});
