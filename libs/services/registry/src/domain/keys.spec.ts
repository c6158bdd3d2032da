import { describe, expect, it } from 'vitest';
import { lookUpAddress, readAddress, storePrefix } from './keys.ts';

describe('readAddress', () => {
  it.each([
    { kind: 'online-endpoint', key: 'Cars', storeKey: 'online-endpoint.cars' },
    { kind: 'online-deployment', key: 'cars/Luca-2', storeKey: 'online-deployment.cars.luca-2' },
    { kind: 'model', key: 'fern.v2/1.0', storeKey: 'model.fern=2Ev2.1=2E0' },
    { kind: 'environment', key: 'Env/3', storeKey: 'environment.env.3' },
    { kind: 'code', key: `${'a'.repeat(255)}/1`, storeKey: `code.${'a'.repeat(255)}.1` },
  ])('finds $kind $key at $storeKey', ({ kind, key, storeKey }) => {
    const { address, problems } = readAddress(kind, key);
    expect(problems).toEqual([]);
    expect(address).toMatchObject({ kind, key, storeKey });
  });

  it.each([
    { kind: 'online-endpoint', key: 'ab', path: 'name', why: 'too short' },
    { kind: 'online-endpoint', key: 'a'.repeat(33), path: 'name', why: 'too long' },
    { kind: 'online-endpoint', key: '1cars', path: 'name', why: 'begins with a digit' },
    { kind: 'online-endpoint', key: 'cars-', path: 'name', why: 'ends with a dash' },
    { kind: 'online-endpoint', key: 'ca.rs', path: 'name', why: 'has a dot' },
    { kind: 'online-deployment', key: 'c/luca', path: 'endpointName', why: 'its endpoint cannot be' },
    { kind: 'online-deployment', key: 'cars/lu_ca', path: 'name', why: 'has an underscore' },
    { kind: 'model', key: '-fern/1', path: 'name', why: 'begins with a dash' },
    { kind: 'model', key: 'fern/1:2', path: 'version', why: 'has a colon' },
    { kind: 'model', key: `${'a'.repeat(256)}/1`, path: 'name', why: 'too long' },
  ])('refuses the name of $kind $key ($why)', ({ kind, key, path }) => {
    expect(readAddress(kind, key).problems).toMatchObject([{ path, expected: expect.any(String) as string }]);
  });

  it.each([
    ['online-endpoint', ''],
    ['online-endpoint', 'cars/luca'],
    ['online-deployment', 'cars'],
    ['online-deployment', 'cars/luca/x'],
    ['online-deployment', 'cars/'],
    ['model', '/1'],
  ])('refuses a key of another form: %s %j', (kind, key) => {
    expect(() => readAddress(kind, key)).toThrow(/key: is not the key of a/);
  });

  it('refuses a kind that is none and says which there are', () => {
    expect(() => readAddress('pod', 'cars')).toThrow(/kind: .*online-endpoint, online-deployment, .*model/);
  });
});

describe('looking up', () => {
  it('does not find what nothing can be called', () => {
    expect(() => lookUpAddress('online-endpoint', 'x')).toThrow("there is no online endpoint 'x'");
    expect(() => lookUpAddress('model', `${'a'.repeat(9_000)}/1`)).toThrow(/^.{1,200}$/);
    expect(lookUpAddress('model', 'fern/1').storeKey).toBe('model.fern.1');
  });

  it.each([
    { parent: '', prefix: 'online-deployment' },
    { parent: 'Cars', prefix: 'online-deployment.cars' },
    { parent: 'cars/luca', prefix: 'online-deployment.cars.luca' },
    { parent: 'c', prefix: undefined },
    { parent: 'cars/', prefix: undefined },
    { parent: 'cars/luca/more', prefix: undefined },
    { parent: 'x'.repeat(5_000), prefix: undefined },
    { parent: '>', prefix: undefined },
  ])('below $parent is $prefix', ({ parent, prefix }) => {
    expect(storePrefix('online-deployment', parent)).toBe(prefix);
  });
});
