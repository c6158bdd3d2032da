import { describe, expect, it } from 'vitest';
import { ResponseReader, type Answer } from './response-reader.ts';

function read(text: string, pieceLength = text.length): Answer[] {
  const answers: Answer[] = [];
  const reader = new ResponseReader((answer) => answers.push(answer));
  for (let at = 0; at < text.length; at += pieceLength) reader.push(Buffer.from(text.slice(at, at + pieceLength)));
  return answers;
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{"a":1}';
const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4;x=1\r\n{"a"\r\n3\r\n:1}\r\n0\r\nx-t: 1\r\n\r\n';
const refused =
  'HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 22\r\n\r\n{"reason":"TOO_BUSY"} ';
const empty = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';

describe('ResponseReader', () => {
  it.each([
    ['a body of known length', ok, [200]],
    ['chunks with extensions and trailers', chunked, [200]],
    ['an empty body', empty, [200]],
    ['a continue before the answer', `HTTP/1.1 100 Continue\r\n\r\n${ok}`, [200]],
    ['several answers in a row', ok + chunked + empty + refused + ok, [200, 200, 200, 503, 200]],
  ])('reads %s, however the bytes are cut', (_, text, statuses) => {
    for (const pieceLength of [1, 2, 3, 7, 50, text.length]) {
      expect(read(text, pieceLength).map(({ status }) => status)).toEqual(statuses);
    }
  });

  it('keeps head and body of a refusal', () => {
    for (const pieceLength of [5, refused.length]) {
      const [answer] = read(refused, pieceLength);
      expect(answer?.head).toContain('retry-after: 1\r\n');
      expect(answer?.body).toContain('TOO_BUSY');
    }
  });

  it.each([
    ['something else than HTTP', 'SSH-2.0-x\r\n\r\n'],
    ['an answer without a length', 'HTTP/1.1 200 OK\r\n\r\n'],
    ['a chunk size that is none', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'],
    ['a head without an end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}`],
  ])('refuses %s', (_, text) => {
    expect(() => read(text)).toThrow();
  });
});
