import { describe, expect, it } from 'vitest';
import { readJsonBody } from './json-body.ts';

const read = (text: string): unknown => readJsonBody(Buffer.from(text));

describe('a JSON body', () => {
  it('is read; an empty one is none', () => {
    expect(read('{"a": [1, "\\u00fc"]}')).toEqual({ a: [1, 'ü'] });
    expect(read('')).toBeUndefined();
  });

  it('may be nested 32 levels deep; brackets in text do not count', () => {
    expect(read(`${'['.repeat(32)}${']'.repeat(32)}`)).toBeDefined();
    expect(read(`{"a": "${'['.repeat(100)}\\"${'{'.repeat(100)}"}`)).toBeDefined();
    expect(() => read('['.repeat(33) + ']'.repeat(33))).toThrow(/nested deeper than 32/);
    expect(() => read('{"a":'.repeat(100_000))).toThrow(/nested deeper/);
  });

  it('may not carry a prototype, under any spelling', () => {
    expect(() => read('{"a": {"__proto__": {"x": 1}}}')).toThrow(/__proto__/);
    expect(() => read('{"\\u005f_proto_\\u005f": 1}')).toThrow(/__proto__/);
    expect(read('{"a": "__proto__"}')).toEqual({ a: '__proto__' });
  });

  it('is refused with the place where it breaks, never with its text', () => {
    const secret = 'hunter2hunter2';
    expect(() => read(`{"password": "${secret}",}`)).toThrow(/breaks at character/);
    expect(() => read(`{"password": "${secret}",}`)).not.toThrow(secret);
    expect(() => read(`${secret}`)).not.toThrow(secret);
    expect(() => readJsonBody(Buffer.from([0x22, 0xff, 0xfe, 0x22]))).toThrow(/not UTF-8/);
  });
});
