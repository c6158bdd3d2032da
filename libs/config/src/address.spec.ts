import { describe, expect, it } from 'vitest';
import { isLoopback, parseAddress } from './index.ts';

describe('isLoopback', () => {
  it.each(['127.0.0.1:8080', '127.9.9.9:0', 'localhost:80', '[::1]:8080', 'localhost'])('says yes to %s', (address) => {
    expect(isLoopback(address)).toBe(true);
  });

  it.each(['0.0.0.0:8080', '[::]:8080', '10.0.0.1:80', 'localhost.example.org:80', '127.0.0.1.example.org:80', ':80'])(
    'says no to %s',
    (address) => expect(isLoopback(address)).toBe(false),
  );
});

it('takes addresses apart', () => {
  expect(parseAddress('127.0.0.1:8080')).toEqual({ host: '127.0.0.1', port: 8080 });
  expect(parseAddress('[::1]:0')).toEqual({ host: '::1', port: 0 });
  expect(parseAddress('example.org')).toEqual({ host: 'example.org', port: 0 });
});
