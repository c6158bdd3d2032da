import { describe, expect, it } from 'vitest';
import { storedModel } from '../testing/stored.ts';
import { compareVersions, newestOf, nextVersionAfter, readListQuery, selectPage } from './listing.ts';

const keysOf = (query: Record<string, unknown>): string[] =>
  selectPage(
    [
      storedModel('m/1', 1, { tags: { stage: 'test' } }),
      storedModel('m/2', 2, { isArchived: true }),
      storedModel('m/10', 3),
    ],
    readListQuery(query),
  ).page.map(({ key }) => key);

describe('a listing', () => {
  it('leaves archived versions out unless they are asked for', () => {
    expect(keysOf({})).toEqual(['m/1', 'm/10']);
    expect(keysOf({ listViewType: 'archivedonly' })).toEqual(['m/2']);
    expect(keysOf({ listViewType: 'All' })).toEqual(['m/1', 'm/2', 'm/10']);
  });

  it('gives the newest first when it is asked to, by any of the words for it', () => {
    for (const order of ['createdtime desc', 'createdTime DESC', 'createdatdesc']) {
      expect(keysOf({ $orderBy: order, $top: '1' })).toEqual(['m/10']);
    }
    expect(keysOf({ orderBy: 'createdAtAsc' })).toEqual(['m/1', 'm/10']);
  });

  it('keeps what has all tags that are asked for', () => {
    expect(keysOf({ tags: 'stage=test' })).toEqual(['m/1']);
    expect(keysOf({ tags: 'stage' })).toEqual(['m/1']);
    expect(keysOf({ tags: 'stage=prod' })).toEqual([]);
  });

  it('cuts pages and says where the next one begins', () => {
    const all = Array.from({ length: 5 }, (_, index) => storedModel(`m/${index}`, index));
    expect(selectPage(all, readListQuery({ $top: '2' }))).toMatchObject({ nextSkip: 2 });
    expect(selectPage(all, readListQuery({ $top: '2', $skip: '4' })).nextSkip).toBeUndefined();
    expect(selectPage(all, readListQuery({ count: '3' })).page).toHaveLength(3);
  });

  it('names every wrong parameter at once', () => {
    const wrong = { $top: '0', $skip: '-1', listViewType: 'Some', $orderBy: 'colour', tags: ['a', 'b'] };
    expect(() => readListQuery(wrong)).toThrow(/\$top.*\$skip.*listViewType.*\$orderBy.*tags/s);
  });
});

describe('versions', () => {
  it('are compared as numbers where they are numbers', () => {
    expect(['10', '9', 'b', 'a', '1'].toSorted(compareVersions)).toEqual(['1', '9', '10', 'a', 'b']);
  });

  it('have as their newest the last one made that is not archived', () => {
    const versions = [storedModel('m/3', 1), storedModel('m/1', 5), storedModel('m/4', 9, { isArchived: true })];
    expect(newestOf(versions)?.key).toBe('m/1');
  });

  it('made in the same instant have the highest as their newest', () => {
    expect(newestOf([storedModel('m/9', 1), storedModel('m/10', 1)])?.key).toBe('m/10');
  });

  it('are followed by one above the highest number, archived ones too', () => {
    expect(nextVersionAfter([])).toBe('1');
    expect(
      nextVersionAfter([storedModel('m/2'), storedModel('m/7', 1, { isArchived: true }), storedModel('m/x')]),
    ).toBe('8');
  });
});
