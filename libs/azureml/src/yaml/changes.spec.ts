import type { SpecProblem } from '@mooring/domain';
import { describe, expect, it } from 'vitest';
import { applyChanges, parsePath, type Changes } from './changes.ts';
import { changeAsset, loadValue } from './index.ts';
import { linesOf, refusal } from './testing/refusal.ts';

const change = (value: unknown, changes: Changes): { value: unknown; problems: SpecProblem[] } => {
  const problems: SpecProblem[] = [];
  return { value: applyChanges({ value, sources: new Map() }, changes, problems).value, problems };
};

describe('parsePath', () => {
  it.each([
    ['a', ['a']],
    ['a.b.c', ['a', 'b', 'c']],
    ['tags."a.b"', ['tags', 'a.b']],
    ["tags.'a.b'", ['tags', 'a.b']],
    ['tags["a.b"]', ['tags', 'a.b']],
    ['list[2].name', ['list', 2, 'name']],
    ['request_settings.request_timeout_ms', ['request_settings', 'request_timeout_ms']],
  ])('reads %s', (text, steps) => expect(parsePath(text)).toEqual(steps));

  it.each(['', '.', 'a.', 'a..b', 'a[', 'a[x]', 'a[-1]', 'a[99999]', '"a', 'a b[', '[]'])('refuses %j', (text) =>
    expect(parsePath(text)).toBeUndefined(),
  );
});

describe('--set, --add and --remove', () => {
  it.each<[string, unknown, Changes, unknown]>([
    ['sets a number', { n: 1 }, { sets: ['instance_count=2'] }, { n: 1, instance_count: 2 }],
    ['sets text that looks like a number', {}, { sets: ['version="2"'] }, { version: '2' }],
    ['sets inside a mapping that is not there', {}, { sets: ['tags.team=shapes'] }, { tags: { team: 'shapes' } }],
    ['sets a whole mapping', {}, { sets: ['tags={"a": 1}'] }, { tags: { a: 1 } }],
    ['sets to nothing', { a: 'x' }, { sets: ['a='] }, { a: '' }],
    ['keeps an equals sign of the value', {}, { sets: ['a=b=c'] }, { a: 'b=c' }],
    ['keeps text that is no YAML', {}, { sets: ['a={b'] }, { a: '{b' }],
    ['sets a key with dots', {}, { sets: ['properties."mooring.cpu"=2'] }, { properties: { 'mooring.cpu': 2 } }],
    [
      'takes dots as part of a property',
      {},
      { sets: ['properties.mooring.cpu=2'] },
      { properties: { 'mooring.cpu': 2 } },
    ],
    ['removes it again', { tags: { 'a.b': 1 } }, { removes: ['tags.a.b'] }, { tags: {} }],
    ['sets an item of a list', { l: [1, 2] }, { sets: ['l[1]=3'] }, { l: [1, 3] }],
    ['makes a list', {}, { sets: ['l[0]=3'] }, { l: [3] }],
    ['appends to a list', { l: [1] }, { adds: ['l=2'] }, { l: [1, 2] }],
    ['adds a key', { tags: { a: 'b' } }, { adds: ['tags.c=d'] }, { tags: { a: 'b', c: 'd' } }],
    ['removes a key', { tags: { a: 'b', c: 'd' } }, { removes: ['tags.a'] }, { tags: { c: 'd' } }],
    ['removes an item', { l: [1, 2, 3] }, { removes: ['l[1]'] }, { l: [1, 3] }],
    ['sets before it removes', {}, { sets: ['a.b=1', 'a.c=2'], removes: ['a.b'] }, { a: { c: 2 } }],
    ['starts from nothing', undefined, { sets: ['a=1'] }, { a: 1 }],
  ])('%s', (_title, value, changes, changed) => {
    expect(change(value, changes)).toEqual({ value: changed, problems: [] });
  });

  it.each<[Changes, string]>([
    [{ sets: ['traffic'] }, "'traffic' is not an assignment"],
    [{ sets: ['=1'] }, "'=1' is not an assignment"],
    [{ sets: ['a..b=1'] }, "'a..b=1' is not an assignment"],
    [{ sets: [''] }, "'' is not an assignment"],
    [{ sets: ['name.first=x'] }, "'first' has no place in a single value"],
    [{ sets: ['list[5]=x'] }, "there is no place '5' in the list"],
    [{ sets: ['list.a=x'] }, "there is no place 'a' in the list"],
    [{ removes: ['nothing'] }, "there is no 'nothing'"],
    [{ removes: ['list[7]'] }, "there is no 'list[7]'"],
    [{ removes: ['__proto__'] }, "there is no '__proto__'"],
  ])('refuses %j', (changes, problem) => {
    const before = { name: 'fern', list: [1] };
    const after = change(before, changes);
    expect(after.problems.map((item) => item.problem)).toEqual([problem]);
    expect(before).toEqual({ name: 'fern', list: [1] });
  });

  it('leaves the prototype of every object alone', () => {
    const { value } = change({}, { sets: ['__proto__.polluted=yes', 'constructor.prototype.polluted=yes'] });
    expect(Object.hasOwn(value as object, '__proto__')).toBe(true);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('keeps how a value was written, as in a file', async () => {
    const options = { kind: 'model', what: 'the model', baseDir: '/' } as const;
    const draft = await loadValue({ name: 'fern', path: '/etc' }, { ...options, sets: ['version=1.10', 'tags.x=007'] });
    expect(draft).toMatchObject({ version: '1.10', body: { properties: { tags: { x: '007' } } } });
  });
});

describe('changeAsset', () => {
  const shown = { name: 'fern', version: '3', path: 'azureml://x', tags: { a: 'b' }, id: '/x' };

  it('changes what may change of a version', () => {
    const changes = { sets: ['description=new', 'stage=Production'], removes: ['tags.a'] };
    expect(changeAsset('model', shown, changes, 'fern:3')).toEqual({
      description: 'new',
      stage: 'Production',
      tags: {},
    });
  });

  it('refuses what is written once, and what is no field, all at once', async () => {
    const work = async (): Promise<unknown> =>
      changeAsset('model', shown, { sets: ['path=other', 'version=4', 'nmae=x'] }, 'fern:3');
    expect(linesOf(await refusal(work()))).toEqual([
      "nmae: is not a field (did you mean 'name'?)",
      'version: cannot be changed (expected a new version)',
      'path: cannot be changed (expected a new version)',
    ]);
  });
});
