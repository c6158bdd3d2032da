import { expect, it } from 'vitest';
import { baseUrlOf } from './base-url.ts';

const own = 'http://127.0.0.1:8082';

it('addresses begin with what the caller called us', () => {
  expect(baseUrlOf('models.example.org:9', own)).toBe('http://models.example.org:9');
  expect(baseUrlOf('[::1]:8082', own)).toBe('http://[::1]:8082');
});

it.each([undefined, '', 'a b', 'a/b', 'user@host', 'host:port', 'x:99999', '[', 'a\r\nb'])(
  'and with our own address when it called us %j',
  (host) => {
    expect(baseUrlOf(host, own)).toBe(own);
  },
);
