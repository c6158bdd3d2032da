import { Metadata } from '@grpc/grpc-js';
import { PlatformError } from '@mooring/errors';
import { describe, expect, it, vi } from 'vitest';
import { HeaderDecoder } from '../hpack/header-decoder.ts';
import { rawMessage } from '../testing/raw-client.ts';
import { Inflations } from '@mooring/overload';
import { ByteBudget } from './byte-budget.ts';
import { statusFrom } from './call-status.ts';
import { decompress } from './inflate.ts';
import { MessageReader } from './message-reader.ts';
import { encodeMetadata, metadataFrom } from './metadata.ts';
import { percentEncode } from './status-message.ts';
import { parseTimeout, watchDeadline } from './timeout.ts';

describe('grpc-timeout', () => {
  it.each([
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['3S', 3_000],
    ['4m', 4],
    ['5u', 0.005],
    ['6000000n', 6],
    ['99999999H', 99_999_999 * 3_600_000],
    ['0S', 0],
  ])('%s is %d ms', (header, ms) => expect(parseTimeout(header)).toBeCloseTo(ms));

  it.each(['', '1', 'S', '1s', '123456789S', '-1S', '1.5S', ' 1S', '1 S', '1SS'])('%s is malformed', (header) =>
    expect(parseTimeout(header)).toBeUndefined(),
  );

  it('that is longer than a timer can be does not end a call at once', () => {
    vi.useFakeTimers();
    try {
      const expired = vi.fn();
      watchDeadline(Date.now() + 3 * 2 ** 31, expired);
      vi.advanceTimersByTime(2 ** 32);
      expect(expired).not.toHaveBeenCalled();
      vi.advanceTimersByTime(2 ** 31);
      expect(expired).toHaveBeenCalledOnce();
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('a status message', () => {
  it.each([
    ['plain text, as it is!', 'plain text, as it is!'],
    ['100 %', '100 %25'],
    ['grün\n', 'gr%C3%BCn%0A'],
    ['\u{1F697}', '%F0%9F%9A%97'],
  ])('%j travels as %s', (message, wire) => expect(percentEncode(message)).toBe(wire));
});

describe('metadata', () => {
  it('comes in with values joined by commas taken apart only where they are binary', () => {
    const metadata = metadataFrom(['a', '1,2', 'a', '3', 'b-bin', 'AQI=,Aw', 'bad', 'ü']);
    expect(metadata.get('a')).toEqual(['1,2', '3']);
    expect(metadata.get('b-bin')).toEqual([Buffer.from([1, 2]), Buffer.from([3])]);
    expect(metadata.get('bad')).toEqual(['']);
  });

  it('goes out without what belongs to the protocol', () => {
    const metadata = new Metadata();
    for (const name of ['grpc-status', 'content-type', 'te', 'connection', 'kept']) metadata.add(name, 'x');
    metadata.add('kept', 'y ');
    metadata.add('some-bin', Buffer.from([0, 255]));
    const fields = new HeaderDecoder().decode(encodeMetadata(metadata) ?? Buffer.alloc(0), 10_000).fields;
    expect(fields).toEqual(['kept', 'x', 'kept', 'y', 'some-bin', 'AP8=']);
    expect(encodeMetadata(new Metadata())).toBeUndefined();
  });
});

describe('a message reader', () => {
  it('gives the same messages however the bytes are cut, and holds nothing afterwards', () => {
    const bodies = ['', 'a', 'x'.repeat(300), 'end'];
    const bytes = Buffer.concat(bodies.map((body) => rawMessage(body)));
    for (let size = 1; size <= bytes.length; size += 7) {
      const budget = new ByteBudget(1_000_000);
      const reader = new MessageReader(1_000, budget);
      const got: string[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        for (const message of reader.push(bytes.subarray(at, at + size))) got.push(message.bytes.toString());
      }
      expect(got).toEqual(bodies);
      expect(reader.empty).toBe(true);
      expect(budget.used).toBe(0);
    }
  });

  it('takes no memory for a length that is only claimed', () => {
    const budget = new ByteBudget(1_000_000);
    const reader = new MessageReader(500_000_000, budget);
    reader.push(Buffer.from([0, 0x10, 0, 0, 0, 1, 2, 3]));
    expect(budget.used).toBeLessThan(100_000);
    reader.close();
    expect(budget.used).toBe(0);
  });

  it('refuses a message that is too large, flags that are unknown and more than the server may hold', () => {
    const budget = new ByteBudget(100_000);
    const reader = (): MessageReader => new MessageReader(1_000_000, budget);
    expect(() => reader().push(Buffer.from([0, 0x7f, 0, 0, 0]))).toThrow('at most 1000000');
    expect(() => reader().push(Buffer.from([2, 0, 0, 0, 0]))).toThrow('flags 2');
    expect(() => reader().push(rawMessage(Buffer.alloc(500_000)).subarray(0, 200_000))).toThrow('unfinished');
  });
});

describe('a compressed message', () => {
  it('is refused by what it would become, not by what it is', async () => {
    const { gzipSync } = await import('node:zlib');
    const bomb = gzipSync(Buffer.alloc(10_000_000));
    let taken = 0;
    const open = (bytes: Buffer, encoding: string, bytesMax: number): Promise<Buffer> => {
      const take = (more: number): void => void (taken += more);
      const { signal } = new AbortController();
      return decompress(new Inflations(), encoding, { bytes, bytesMax, take, owner: 1, signal });
    };
    await expect(open(bomb, 'gzip', 1_000_000)).rejects.toMatchObject({ code: 8 });
    expect(taken).toBeLessThanOrEqual(1_000_000);
    await expect(open(bomb, 'gzip', 10_000_000)).resolves.toHaveLength(10_000_000);
    await expect(open(bomb, 'snappy', 1)).rejects.toMatchObject({ code: 12 });
    await expect(open(bomb, '', 1)).rejects.toMatchObject({ code: 13 });
    await expect(open(Buffer.from('no'), 'gzip', 100)).rejects.toMatchObject({ code: 13 });
  });
});

describe('what a handler throws', () => {
  it('is a status: its own, that of the error table, or one that hides everything', () => {
    expect(statusFrom({ code: 6, details: 'there already' })).toMatchObject({ code: 6, message: 'there already' });
    expect(statusFrom(new PlatformError('not_found', 'X', 'no such thing'))).toMatchObject({
      code: 5,
      message: 'no such thing',
    });
    const hidden = statusFrom(new Error('the password is hunter2'));
    expect(hidden.code).toBe(13);
    expect(hidden.message).not.toContain('hunter2');
  });

  it('loses metadata that no client would take', () => {
    const metadata = new Metadata();
    metadata.set('large', 'x'.repeat(70_000));
    expect(statusFrom({ code: 6, details: '', metadata })).toMatchObject({ code: 8, extra: undefined });
  });
});
