import { describe, expect, it } from 'vitest';
import type { OnlineEndpointSpec } from '@mooring/domain';
import { endpointSpec } from '@mooring/domain/testing';
import { endpointProblems, normalizeEndpoint } from './endpoint-rules.ts';

const deployments = new Set(['luca', 'martina', 'nora']);
const problemsOf = (changes: Partial<OnlineEndpointSpec>, current: OnlineEndpointSpec | undefined = endpointSpec()) =>
  endpointProblems(endpointSpec(changes), { current, deployments });
const pathsOf = (...given: Parameters<typeof problemsOf>) => problemsOf(...given).map(({ path }) => path);

describe('traffic', () => {
  it.each<{ why: string; changes: Partial<OnlineEndpointSpec> }>([
    { why: 'nothing', changes: {} },
    { why: 'all to one', changes: { traffic: { luca: 100 } } },
    { why: 'a split', changes: { traffic: { luca: 90, martina: 10 } } },
    { why: 'names in another case', changes: { traffic: { LUCA: 100 } } },
    { why: 'zeros', changes: { traffic: { luca: 0, martina: 0 } } },
    { why: 'a zero beside a hundred', changes: { traffic: { luca: 100, martina: 0 } } },
    { why: 'a mirror', changes: { traffic: { luca: 100 }, mirrorTraffic: { martina: 50, nora: 1 } } },
  ])('may be $why', ({ changes }) => {
    expect(problemsOf(changes)).toEqual([]);
  });

  it.each<{ why: string; changes: Partial<OnlineEndpointSpec>; paths: string[] }>([
    { why: 'a sum of 99', changes: { traffic: { luca: 99 } }, paths: ['traffic'] },
    { why: 'a sum of 110', changes: { traffic: { luca: 100, martina: 10 } }, paths: ['traffic'] },
    { why: 'a name that is none', changes: { traffic: { bruno: 100 } }, paths: ['traffic.bruno'] },
    {
      why: 'a name that is none, with nothing for it',
      changes: { traffic: { bruno: 0, luca: 100 } },
      paths: ['traffic.bruno'],
    },
    { why: 'halves', changes: { traffic: { luca: 99.5, martina: 0.5 } }, paths: ['traffic.luca', 'traffic.martina'] },
    {
      why: 'a negative share',
      changes: { traffic: { luca: -10, martina: 110 } },
      paths: ['traffic.luca', 'traffic.martina'],
    },
    { why: 'the same deployment twice', changes: { traffic: { luca: 50, Luca: 50 } }, paths: ['traffic.Luca'] },
    { why: 'a mirror above 50', changes: { mirrorTraffic: { luca: 51 } }, paths: ['mirrorTraffic.luca'] },
    {
      why: 'a mirror with live traffic',
      changes: { traffic: { luca: 100 }, mirrorTraffic: { Luca: 10 } },
      paths: ['mirrorTraffic.luca'],
    },
    {
      why: 'everything at once',
      changes: { traffic: { bruno: 1 }, mirrorTraffic: { gina: 60 } },
      paths: ['traffic.bruno', 'traffic', 'mirrorTraffic.gina', 'mirrorTraffic.gina'],
    },
  ])('may not be $why', ({ changes, paths }) => {
    expect(pathsOf(changes)).toEqual(paths);
  });

  it('cannot be set before there are deployments', () => {
    const problems = endpointProblems(endpointSpec({ traffic: { luca: 100 }, mirrorTraffic: { nora: 1 } }), {
      current: undefined,
      deployments,
    });
    expect(problems.map(({ path }) => path)).toEqual(['traffic', 'mirrorTraffic']);
  });

  it('is kept by names in lower case, without zeros, in one order', () => {
    const spec = normalizeEndpoint(endpointSpec({ traffic: { Nora: 10, luca: 90, Martina: 0 } }));
    expect(JSON.stringify(spec.traffic)).toBe('{"luca":90,"nora":10}');
  });
});

describe('authentication and identity', () => {
  it.each<Partial<OnlineEndpointSpec>>([
    { authMode: 'key' },
    { identity: { type: 'SystemAssigned' } },
    { identity: { type: 'system_assigned' } },
    {},
  ])('may be %j', (changes) => {
    expect(problemsOf(changes)).toEqual([]);
  });

  it.each<{ changes: Partial<OnlineEndpointSpec>; path: string; later: boolean }>([
    { changes: { authMode: 'aml_token' }, path: 'authMode', later: true },
    { changes: { authMode: 'aad_token' }, path: 'authMode', later: true },
    { changes: { identity: { type: 'user_assigned' } }, path: 'identity.type', later: true },
    { changes: { identity: { type: 'SystemAssigned,UserAssigned' } }, path: 'identity.type', later: true },
    { changes: { identity: { type: 'mine' } }, path: 'identity.type', later: false },
    { changes: { identity: { type: 'none' } }, path: 'identity.type', later: false },
  ])('may not be $changes', ({ changes, path, later }) => {
    expect(problemsOf(changes)).toMatchObject([{ path, ...(later ? { later } : {}) }]);
    expect(problemsOf(changes)[0]?.later ?? false).toBe(later);
  });

  it('may be none from the beginning', () => {
    const none = endpointSpec({ identity: { type: 'none' } });
    expect(endpointProblems(none, { current: undefined, deployments })).toEqual([]);
    expect(endpointProblems(none, { current: none, deployments })).toEqual([]);
  });
});

describe('properties', () => {
  const current = endpointSpec({ properties: { team: 'fleet' } });

  it('may grow and change', () => {
    expect(pathsOf({ properties: { team: 'other', more: '1' } }, current)).toEqual([]);
  });

  it('may not shrink', () => {
    expect(pathsOf({ properties: { more: '1' } }, current)).toEqual(['properties.team']);
  });
});
