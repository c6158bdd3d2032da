import { matchesGlob } from 'node:path';
import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { readGlob } from './glob.ts';

const patterns = [
  '*',
  '**',
  '*.jpg',
  '**/*.jpg',
  'a/**',
  'a/**/b.jpg',
  '**/b/**/*.jpg',
  '**/**/b.jpg',
  'a/*/b.jpg',
  'a?.jpg',
  '[ab].jpg',
  '[a-c]*',
  '[!a]*',
  '[^b].jpg',
  '[]a].jpg',
  'x[',
  '{a,b}.jpg',
  '{a,b}/{c,**}/*.{jpg,png}',
  'a{b,{c,d}}e',
  '{a}',
  '{a',
  '.*',
  '.h/*',
  '**/.h',
  'a*b*c',
  '*a*',
  'ü?.jpg',
];
const paths = [
  'a',
  'a.jpg',
  'b.jpg',
  'ab.jpg',
  'aXbYc',
  'abcbc',
  'abe',
  'ade',
  '].jpg',
  'x[',
  '{a}',
  '{a',
  '.h',
  '.h/a',
  'a/.h',
  'a/.h/b.jpg',
  'a/b.jpg',
  'a/x/b.jpg',
  'a/x/y/b.jpg',
  'x/b/c/d.jpg',
  'x/b/d.jpg',
  'b/c/d.png',
  'üü.jpg',
];

describe('a pattern', () => {
  it.each(patterns)('%s means the paths that it means to others', (pattern) => {
    const glob = readGlob(pattern);
    const expected = paths.filter((path) => matchesGlob(path, pattern));
    expect(paths.filter(glob)).toEqual(expected);
  });

  it.each([
    `${'*a'.repeat(500)}z`,
    `${'**/'.repeat(300)}z`,
    `${'**/a/'.repeat(200)}z`,
    `${'*(+('.repeat(200)}z`,
    '['.repeat(1_000),
    '{'.repeat(1_000),
    '{1..100000000}',
    '[a-'.repeat(300),
  ])('takes little time, whatever it is: %.20s', (pattern) => {
    const began = performance.now();
    const glob = readGlob(pattern);
    for (let times = 0; times < 10; times += 1) expect(glob(`${'a/'.repeat(30)}${'a'.repeat(255)}`)).toBe(false);
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  it.each(['{a,b}'.repeat(7), '{a,b}'.repeat(200), `{${'a,'.repeat(200)}}`, 'x'.repeat(2_000)])(
    'is refused where it means too much: %.20s',
    (pattern) => {
      expect(() => readGlob(pattern)).toThrow(/pattern of more than 1024 characters/);
    },
  );
});
