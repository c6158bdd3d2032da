import { describe, expect, it } from 'vitest';
import { lineSplitter, visibleText } from './log-text.ts';

function split(pieces: (string | Buffer)[], lineBytesMax = 20): string[] {
  const lines: string[] = [];
  const splitter = lineSplitter(lineBytesMax, (line) => lines.push(line));
  for (const piece of pieces) splitter.push(Buffer.from(piece));
  splitter.flush();
  return lines;
}

describe('what a script wrote, made visible', () => {
  it.each([
    [Buffer.from('plain ☃ \t tab'), 'plain ☃ \t tab'],
    [Buffer.from('\u001b[31mred'), '\\x1b[31mred'],
    [Buffer.from('a\rb\vc\fd\be'), 'a\\rb\\vc\\fd\\be'],
    [Buffer.from('a\u0000b\u007fc\u009bd'), 'a\\x00b\\x7fc\\x9bd'],
    [Buffer.from('a\u2028b\u2029c'), 'a\\u2028b\\u2029c'],
    [Buffer.from([0x61, 0xff, 0xfe, 0x62]), 'a\\xff\\xfeb'],
    [Buffer.from([0xe2, 0x98]), '\\xe2\\x98'],
    [Buffer.from([0xff, 0xe2, 0x98, 0x83]), '\\xff☃'],
    [Buffer.alloc(0), ''],
  ])('shows %o as %s', (bytes, text) => {
    expect(visibleText(bytes)).toBe(text);
  });
});

describe('lines', () => {
  it('are cut at line ends, wherever the pieces are cut', () => {
    expect(split(['one\ntw', 'o\r\n', '\n', 'thr', 'ee'])).toEqual(['one', 'two', '', 'three']);
  });

  it('keep a character whose bytes come in two pieces', () => {
    expect(split([Buffer.from([0xe2, 0x98]), Buffer.from([0x83, 0x0a])])).toEqual(['☃']);
  });

  it('are cut at their maximum, which says how long they were', () => {
    expect(split([`${'x'.repeat(50)}\n`, 'next\n'], 10)).toEqual([`${'x'.repeat(10)} [line cut: 50 bytes]`, 'next']);
  });

  it('are never cut inside a character', () => {
    expect(split([`${'☃'.repeat(10)}\n`], 10)).toEqual(['☃☃☃ [line cut: 30 bytes]']);
  });

  it('that never end cost no memory beyond their maximum', () => {
    expect(
      split(
        Array.from({ length: 1_000 }, () => 'y'.repeat(1_000)),
        5,
      ),
    ).toEqual(['yyyyy [line cut: 1000000 bytes]']);
  });
});
