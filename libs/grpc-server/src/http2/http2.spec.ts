import { describe, expect, it } from 'vitest';
import { HeaderDecoder } from '../hpack/header-decoder.ts';
import { FrameReader } from './frame-reader.ts';
import { headersFrames } from './frames.ts';
import { HeaderBlocks } from './header-blocks.ts';
import { TokenBucket } from './limits.ts';
import { PingPolicy } from './ping-policy.ts';
import { flag, frameType } from './protocol.ts';
import { readSettings } from './read-settings.ts';
import { readRequestHead } from './request-head.ts';
import { okStatus, ResponseEncoder } from './response-encoder.ts';
import { rawFrame } from '../testing/raw-client.ts';

const good = [':method', 'POST', ':scheme', 'http', ':path', '/a/B', 'content-type', 'application/grpc'];

describe('a frame reader', () => {
  it('gives the same frames however the bytes are cut', () => {
    const bytes = Buffer.concat([
      rawFrame(frameType.ping, 0, 0, Buffer.alloc(8, 1)),
      rawFrame(frameType.data, 0, 3, Buffer.from('hello ')),
      rawFrame(frameType.data, flag.endStream, 3, Buffer.from('world')),
      rawFrame(frameType.data, flag.endStream, 5),
      rawFrame(frameType.data, flag.padded, 7, Buffer.from([1, 0x61, 0])),
    ]);
    for (let size = 1; size <= bytes.length; size += 1) {
      const frames: string[] = [];
      const data: Record<number, string> = {};
      const ends: number[] = [];
      const reader = new FrameReader({
        onFrame: (type, _flags, streamId, payload) => frames.push(`${type}/${streamId}/${payload.length}`),
        onData: (streamId, chunk, windowBytes, last) => {
          expect(windowBytes).toBe(chunk.length);
          data[streamId] = (data[streamId] ?? '') + chunk.toString();
          if (last) ends.push(streamId);
        },
      });
      for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
      expect({ frames, data, ends }).toEqual({
        frames: ['6/0/8', '0/7/3'],
        data: { 3: 'hello world', 5: '' },
        ends: [3, 5],
      });
    }
  });

  it('refuses a frame above the maximum before its payload comes', () => {
    const reader = new FrameReader({ onFrame: () => undefined, onData: () => undefined });
    expect(() => reader.push(Buffer.from([0, 0x40, 1, 0, 0, 0, 0, 0, 1]))).toThrow('16385');
  });
});

describe('HEADERS', () => {
  it('are continued when the block is longer than a frame', () => {
    const block = Buffer.alloc(40_000, 1);
    const blocks = new HeaderBlocks(64_000, 1_000);
    const results: unknown[] = [];
    const reader = new FrameReader({
      onData: () => undefined,
      onFrame: (type, flags, id, payload) => {
        const take = type === frameType.headers ? blocks.open(id, flags, payload) : blocks.continue(id, flags, payload);
        results.push(take);
      },
    });
    reader.push(headersFrames(9, block, true));
    expect(results).toEqual([undefined, undefined, { bytes: block, endStream: true }]);
  });

  it('may not go on without end', () => {
    const blocks = new HeaderBlocks(1_000, 1_000);
    blocks.open(1, 0, Buffer.alloc(0));
    expect(() => {
      for (let n = 0; n < 100; n += 1) blocks.continue(1, 0, Buffer.alloc(0));
    }).toThrow('without end');
    const long = new HeaderBlocks(1_000, 1_000);
    expect(() => long.open(1, 0, Buffer.alloc(4_001))).toThrow('without end');
  });
});

describe('a request head', () => {
  it('keeps what handlers may see and what the protocol needs apart', () => {
    const head = readRequestHead([
      ...good,
      'te',
      'trailers',
      'grpc-timeout',
      '5S',
      'grpc-encoding',
      'gzip',
      'grpc-accept-encoding',
      'gzip',
      'user-agent',
      'x',
      'authorization',
      ' Bearer k ',
      'host',
      'here',
      'content-length',
      '7',
    ]);
    expect(head).toEqual({
      method: 'POST',
      path: '/a/B',
      authority: 'here',
      contentType: 'application/grpc',
      contentLength: 7,
      timeout: '5S',
      encoding: 'gzip',
      metadata: ['user-agent', 'x', 'authorization', 'Bearer k'],
    });
  });

  it.each<[string, string[]]>([
    ['no method', good.slice(2)],
    ['no path', good.slice(0, 4)],
    ['an empty path', [':method', 'POST', ':scheme', 'http', ':path', '']],
    ['a pseudo-header twice', [...good.slice(0, 2), ...good]],
    ['a pseudo-header after others', ['a', 'b', ...good]],
    ['an unknown pseudo-header', [':status', '200', ...good]],
    ['an upper case name', [...good, 'Name', 'x']],
    ['an empty name', [...good, '', 'x']],
    ['a space in a name', [...good, 'a b', 'x']],
    ['a line feed in a value', [...good, 'a', 'x\ny']],
    ['a zero in a value', [...good, 'a', 'x\0y']],
    ['connection', [...good, 'connection', 'close']],
    ['transfer-encoding', [...good, 'transfer-encoding', 'chunked']],
    ['te other than trailers', [...good, 'te', 'gzip']],
    ['a content-length that is no number', [...good, 'content-length', '-1']],
    ['two content-lengths', [...good, 'content-length', '1', 'content-length', '2']],
  ])('is malformed with %s', (_what, fields) => {
    expect(() => readRequestHead(fields)).toThrow('malformed');
  });
});

describe('SETTINGS', () => {
  it('say the window and the smallest table', () => {
    const payload = Buffer.from('00010000000000010000100000040000ffff00ff00000001', 'hex');
    expect(readSettings(payload)).toEqual({ headerTableBytes: 0, windowBytes: 65_535 });
  });

  it.each(['00', '000200000002', '000480000000', '000500003fff', '000501000000', '000600000000'.repeat(101)])(
    'of %s are refused',
    (payload) => expect(() => readSettings(Buffer.from(payload, 'hex'))).toThrow(),
  );
});

describe('a response encoder', () => {
  const read = (decoder: HeaderDecoder, block: Buffer): string[] => decoder.decode(block, 100_000).fields;
  const head = [':status', '200', 'grpc-accept-encoding', 'identity,deflate,gzip', 'content-type', 'application/grpc'];

  it('says the same in a few bytes once the reader knows it', () => {
    const encoder = new ResponseEncoder();
    const decoder = new HeaderDecoder();
    const sizes: number[] = [];
    for (let n = 0; n < 4; n += 1) {
      const block = encoder.head(undefined);
      const trailers = encoder.trailers(okStatus);
      expect(read(decoder, block)).toEqual(head);
      expect(read(decoder, trailers)).toEqual(['grpc-status', '0']);
      sizes.push(block.length + trailers.length);
    }
    expect(sizes.slice(1)).toEqual([4, 4, 4]);
  });

  it('holds when two heads come before the first status', () => {
    const encoder = new ResponseEncoder();
    const decoder = new HeaderDecoder();
    for (const block of [encoder.head(undefined), encoder.head(undefined)]) expect(read(decoder, block)).toEqual(head);
    expect(read(decoder, encoder.trailers(okStatus))).toEqual(['grpc-status', '0']);
    expect(read(decoder, encoder.head(undefined))).toEqual(head);
    expect(read(decoder, encoder.trailersOnly({ code: 5, message: 'ß%', extra: undefined }))).toEqual([
      ...head,
      'grpc-status',
      '5',
      'grpc-message',
      '%C3%9F%25',
    ]);
  });

  it('acknowledges a smaller table and uses none from then on', () => {
    const encoder = new ResponseEncoder();
    const decoder = new HeaderDecoder();
    read(decoder, encoder.head(undefined));
    encoder.limitTable(100);
    const next = encoder.head(undefined);
    expect(next[0]).toBe(0x20);
    expect(read(decoder, next)).toEqual(head);
    expect(read(decoder, encoder.trailers(okStatus))).toEqual(['grpc-status', '0']);
    expect(encoder.head(undefined)[0]).toBe(0x88);
  });
});

describe('pings', () => {
  it('that come too fast are tolerated twice, and forgiven by an answer', () => {
    const policy = new PingPolicy(1_000);
    expect([0, 10, 20, 30].map((ms) => policy.allows(ms, false))).toEqual([true, true, true, false]);
    const slow = new PingPolicy(1_000);
    expect([0, 1_000, 2_000, 3_000, 4_000].every((ms) => slow.allows(ms, false))).toBe(true);
    const answered = new PingPolicy(1_000);
    expect([0, 1, 2, 3, 4, 5].every((ms) => answered.allows(ms, ms % 2 === 0))).toBe(true);
  });
});

describe('a token bucket', () => {
  it('lets a burst through, then waits, and takes tokens back', () => {
    const bucket = new TokenBucket(2, 0);
    expect([bucket.take(), bucket.take(), bucket.take()]).toEqual([true, true, false]);
    const kept = new TokenBucket(1, 0);
    for (let n = 0; n < 10; n += 1) {
      expect(kept.take()).toBe(true);
      kept.giveBack();
    }
  });
});
