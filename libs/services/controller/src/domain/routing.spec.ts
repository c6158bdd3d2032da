import { describe, expect, it } from 'vitest';
import { deploymentSpec, endpointSpec } from '@mooring/domain/testing';
import { routingRecord } from './routing.ts';

const system = { createdAt: '2026-01-01T00:00:00.000Z' };

describe('routingRecord', () => {
  it('holds the traffic, and every deployment under its name in lower case', () => {
    const record = routingRecord(
      { key: 'Cars', generation: 7, system, spec: endpointSpec({ traffic: { luca: 100 } }) },
      [
        {
          key: 'Cars/Martina',
          spec: deploymentSpec({ instanceCount: 2, properties: { 'mooring.mirror.tolerance': '0.5' } }),
        },
        { key: 'Cars/luca', spec: deploymentSpec({ model: 'fern/3' }) },
      ],
    );
    expect(record).toMatchObject({ ...system, endpoint: 'Cars', generation: 7, traffic: { luca: 100 } });
    expect(Object.keys(record.deployments)).toEqual(['luca', 'martina']);
    expect(record.deployments['martina']).toMatchObject({ name: 'Martina', instanceCount: 2, mirrorTolerance: 0.5 });
    expect(record.deployments['luca']?.model).toEqual({ name: 'fern', version: '3' });
  });

  it('says what a deployment answers without a run of its own, and nothing where that is off', () => {
    const properties = { 'mooring.response-cache-ttl-ms': '5000', 'mooring.single-flight': 'true' };
    const record = routingRecord({ key: 'cars', generation: 1, system, spec: endpointSpec({}) }, [
      { key: 'cars/cached', spec: deploymentSpec({ properties }) },
      { key: 'cars/plain', spec: deploymentSpec({}) },
    ]);
    const { cached, plain } = record.deployments;
    expect(cached).toMatchObject({ responseCache: { ttlMs: 5_000, bytesMax: 16 * 2 ** 20 }, singleFlight: true });
    expect(plain).not.toHaveProperty('responseCache');
    expect(plain).not.toHaveProperty('singleFlight');
  });
});
