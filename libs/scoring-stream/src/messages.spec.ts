import { describe, expect, it } from 'vitest';
import { ScoreRequest, ScoreResponse, type Call, type Reply } from '@mooring/contracts/scoring';
import { reply } from './port.ts';
import { decodeRequest, encodeRequest } from './request-message.ts';
import { decodeResponse, encodeResponse } from './response-message.ts';
import { call } from './testing.ts';

/** Deterministic values of every size class of a varint, and texts with one to four bytes a character. */
const numbers = [0, 1, 127, 128, 300, 16_383, 16_384, 2 ** 21, 2 ** 28, 2 ** 31, 2 ** 32 - 1];
const texts = [
  '',
  'a',
  'cars',
  'ü',
  '車',
  '🚗 in rain',
  'x'.repeat(24),
  'x'.repeat(25),
  'é'.repeat(200),
  'y'.repeat(20_000),
];
const bodies = [Buffer.alloc(0), Buffer.from([0]), Buffer.alloc(127, 1), Buffer.alloc(128, 2), Buffer.alloc(70_000, 3)];
const at = <T>(list: readonly T[], index: number): T => list[index % list.length] as T;

function callNumber(n: number): Call {
  return {
    id: at(numbers, n),
    operation: at([0, 1, 2, 3, 4, 5, 6, 7] as const, n),
    protocol: at([0, 1, 2, 3] as const, n),
    priority: at([0, 1, 2] as const, n),
    endpoint: at(texts, n),
    deployment: at(texts, n + 1),
    requestId: at(texts, n + 2),
    deadlineMs: at(numbers, n + 3),
    traceparent: at(texts, n + 4),
    contentType: at(texts, n + 5),
    inferenceHeaderLengthPlusOne: at(numbers, n + 1),
    method: at(texts, n + 6),
    query: at(texts, n + 7),
    headers: Array.from({ length: n % 4 }, (_unused, index) => ({
      name: at(texts, index + 1),
      value: at(texts, n + index),
    })),
    modelName: at(texts, n + 8),
    modelVersion: at(texts, n + 9),
    idempotencyKey: at(texts, n + 3),
    body: at(bodies, n),
  };
}

function replyNumber(n: number): Reply {
  return {
    id: at(numbers, n),
    status: at(numbers, n + 1),
    contentType: at(texts, n),
    headers: callNumber(n).headers,
    inferenceHeaderLengthPlusOne: at(numbers, n + 2),
    timing: {
      totalUs: at(numbers, n),
      queueUs: at(numbers, n + 1),
      batchWaitUs: at(numbers, n + 2),
      preprocessUs: at(numbers, n + 3),
      computeUs: at(numbers, n + 4),
      postprocessUs: at(numbers, n + 5),
    },
    deployment: at(texts, n + 1),
    instanceId: at(texts, n + 2),
    batchId: at(texts, n + 3),
    batchRows: at(numbers, n + 3),
    rows: at(numbers, n + 4),
    errorCode: at(texts, n + 4),
    errorReason: at(texts, n + 5),
    errorMessage: at(texts, n + 6),
    retryAfterMs: at(numbers, n + 5),
    started: n % 2 === 0,
    retries: at(numbers, n + 6),
    pick: at(texts, n + 7),
    routerUs: at(numbers, n + 7),
    body: at(bodies, n + 1),
    cache: at(texts, n + 8),
    idempotency: at(texts, n + 9),
    trafficSlotPlusOne: at(numbers, n + 8),
    ejections: at(numbers, n + 9),
    modelDigest: at(texts, n + 10),
    coldStart: at(texts, n + 11),
    placement: at(texts, n + 12),
    mirrored: at(texts, n + 13),
  };
}

const sum = (n: number) => ({ queued: at(numbers, n), running: at(numbers, n + 1), wastedUs: at(numbers, n + 2) });
const chunkNumber = (n: number) => ({ id: at(numbers, n), body: at(bodies, n + 1), totalBytes: at(numbers, n + 2) });
const range = Array.from({ length: 120 }, (_unused, n) => n);

describe('the lean codec', () => {
  it('writes requests that the generated codec reads as the same', () => {
    for (const n of range) {
      const calls = [callNumber(n), callNumber(n + 3)];
      const [chunk, readsChunks] = [n % 5 === 0 ? undefined : chunkNumber(n), n % 2 === 0];
      const encoded = encodeRequest(
        calls.map((c) => ({ id: c.id, call: c, deadlineMs: c.deadlineMs })),
        numbers,
        true,
        { chunk, readsChunks },
      );
      const cancels = numbers.map((id) => ({ id }));
      expect(ScoreRequest.decode(encoded)).toEqual({ calls, cancels, chunks: chunk ? [chunk] : [], readsChunks });
    }
  });

  it('reads requests that the generated codec wrote', () => {
    for (const n of range) {
      const request: ScoreRequest = {
        calls: [callNumber(n), callNumber(n + 1)],
        cancels: [{ id: n }],
        chunks: [chunkNumber(n), chunkNumber(n + 1)],
        readsChunks: n % 2 === 0,
      };
      expect(decodeRequest(Buffer.from(ScoreRequest.encode(request).finish()))).toEqual(request);
    }
  });

  it('writes responses that the generated codec reads as the same', () => {
    for (const n of range) {
      const replies = [replyNumber(n), replyNumber(n + 5)];
      const hello = {
        credits: at(numbers, n),
        wantsHeaders: n % 2 === 1,
        instanceId: at(texts, n),
        parallel: at(numbers, n + 2),
        readsChunks: n % 3 === 0,
      };
      const chunk = chunkNumber(n);
      const credit = { credits: at(numbers, n + 1) };
      const encoded = encodeResponse(
        replies.map((r) => ({ id: r.id, reply: r })),
        { hello, credit, drain: true, abandoned: sum(n) },
        chunk,
      );
      const chunks = [chunk];
      expect(ScoreResponse.decode(encoded)).toEqual({ hello, replies, credit, drain: {}, abandoned: sum(n), chunks });
    }
  });

  it('reads responses that the generated codec wrote', () => {
    for (const n of range) {
      const response: ScoreResponse = {
        hello: { credits: 3, wantsHeaders: true, instanceId: 'i', parallel: 2, readsChunks: n % 2 === 1 },
        replies: [replyNumber(n)],
        credit: { credits: n },
        drain: n % 2 === 0 ? {} : undefined,
        abandoned: n % 3 === 0 ? sum(n) : undefined,
        chunks: [chunkNumber(n), chunkNumber(n + 2)],
      };
      expect(decodeResponse(Buffer.from(ScoreResponse.encode(response).finish()))).toEqual(response);
    }
  });

  it('keeps a body as a view of the message, without a copy', () => {
    const message = encodeRequest([{ id: 1, call: call({ body: Buffer.from('photo') }), deadlineMs: 0 }], [], false);
    expect(decodeRequest(message).calls[0]?.body.buffer).toBe(message.buffer);
  });

  it("leaves callers' headers out when the receiver does not want them", () => {
    const withHeaders = call({ headers: [{ name: 'x-a', value: '1' }] });
    const message = encodeRequest([{ id: 1, call: withHeaders, deadlineMs: 0 }], [], false);
    expect(decodeRequest(message).calls[0]?.headers).toEqual([]);
  });

  it('passes over fields that it does not know', () => {
    const unknown = Buffer.from([
      0xf8, 0x01, 0x07, 0xf9, 0x01, 1, 2, 3, 4, 5, 6, 7, 8, 0xfa, 0x01, 1, 9, 0xfd, 0x01, 1, 2, 3, 4,
    ]);
    const message = Buffer.concat([unknown, encodeRequest([], [7], false)]);
    expect(decodeRequest(message)).toEqual({ calls: [], cancels: [{ id: 7 }], chunks: [], readsChunks: false });
  });

  it('refuses every cut of a message instead of reading past its end', () => {
    const whole = encodeRequest([{ id: 5, call: callNumber(4), deadlineMs: 9 }], [1], true);
    let refused = 0;
    for (let length = 1; length < whole.length; length += 1 + Math.floor(length / 50)) {
      try {
        decodeRequest(whole.subarray(0, length));
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(50);
  });

  it('never throws anything but a RangeError on noise', () => {
    let seed = 1;
    const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) % 256;
    for (let round = 0; round < 3_000; round += 1) {
      const noise = Buffer.from(Array.from({ length: 1 + (round % 60) }, random));
      for (const decode of [decodeRequest, decodeResponse]) {
        try {
          decode(noise);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }
    }
  });

  it("does not share the default reply's headers between replies", () => {
    const message = encodeResponse([{ id: 1, reply: reply({ headers: [{ name: 'a', value: 'b' }] }) }], {});
    expect(decodeResponse(message).replies[0]?.headers).toHaveLength(1);
    expect(decodeResponse(message).replies[0]?.headers).toHaveLength(1);
  });
});
