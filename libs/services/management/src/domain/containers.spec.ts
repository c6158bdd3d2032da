import { describe, expect, it } from 'vitest';
import { storedModel } from '../testing/stored.ts';
import { containersOf, hasHash, isContainerInView } from './containers.ts';

describe('an asset without a version in hand', () => {
  it('is what its versions say together', () => {
    const [one, two, ...others] = containersOf([
      storedModel('Fern/1', 1),
      storedModel('fern/2', 2),
      storedModel('ash/x'),
    ]);
    expect(others).toEqual([]);
    expect(one).toMatchObject({ name: 'ash', latestVersion: 'x', nextVersion: '1', isArchived: false });
    expect(two).toMatchObject({ name: 'Fern', latestVersion: '2', nextVersion: '3', isArchived: false });
  });

  it('is archived when all its versions are', () => {
    const half = [storedModel('fern/1', 1, { isArchived: true }), storedModel('fern/2', 2)];
    expect(containersOf(half)[0]).toMatchObject({ isArchived: false, latestVersion: '2' });
    const [all] = containersOf(half.map((version) => storedModel(version.key, 1, { isArchived: true })));
    expect(all).toMatchObject({ isArchived: true, latestVersion: undefined, nextVersion: '3' });
    expect(all && isContainerInView(all, 'ActiveOnly')).toBe(false);
    expect(all && isContainerInView(all, 'ArchivedOnly')).toBe(true);
    expect(all && isContainerInView(all, 'All')).toBe(true);
  });

  it('is not listed when it was made in passing', () => {
    const [anonymous] = containersOf([storedModel('0a1b/1', 1, { isAnonymous: true })]);
    expect(anonymous && isContainerInView(anonymous, 'All')).toBe(false);
  });

  it('is found by the hash of its content', () => {
    const version = storedModel('code/1', 1, { properties: { hash_sha256: 'ABC' } });
    expect(hasHash(version, 'abc')).toBe(true);
    expect(hasHash(version, 'abd')).toBe(false);
    expect(hasHash(storedModel('code/1'), '')).toBe(false);
  });
});
