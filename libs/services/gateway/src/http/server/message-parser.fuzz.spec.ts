import { describe, expect, it } from 'vitest';
import { seeded } from '@mooring/testing';
import { parse, type Parsed } from './testing/parse.ts';

const streams = [
  'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  'POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nX-Y: z \r\n\r\nhello\r\nGET / HTTP/1.0\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nT: u\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n',
  'PUT /b HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\naPUT /b HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nbPUT /b HTTP/1.1\r\nHost: y\r\nContent-Length: 1\r\n\r\nc',
  '\r\nOPTIONS * HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n',
];
/** What attackers put into requests. */
const spice = [
  '\r',
  '\n',
  '\r\n',
  '\0',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '0',
  'f',
  '-',
  '\x7f',
  '\xff',
  'Content-Length: 1\r\n',
  'Transfer-Encoding: chunked\r\n',
];

function mutated(text: string, random: () => number): string {
  const at = Math.floor(random() * (text.length + 1));
  const kind = random();
  if (kind < 0.25) return text.slice(0, at) + text.slice(at + 1 + Math.floor(random() * 3));
  const insert = spice[Math.floor(random() * spice.length)] as string;
  if (kind < 0.5) return text.slice(0, at) + insert + text.slice(at);
  if (kind < 0.75) return text.slice(0, at) + insert + text.slice(at + insert.length);
  return text.slice(0, at) + String.fromCharCode(Math.floor(random() * 256)) + text.slice(at + 1);
}

function comparable({ messages, refused }: Parsed): unknown {
  return {
    refused,
    messages: messages.map(({ head, body, complete }) => ({
      head: { ...head, headers: { ...head.headers } },
      body,
      complete,
    })),
  };
}

function splitsAgree(text: string, random: () => number): void {
  const bytes = Buffer.from(text, 'latin1');
  const whole = comparable(parse([bytes]));
  for (let at = 1; at < bytes.length; at += 1) {
    expect(comparable(parse([bytes.subarray(0, at), bytes.subarray(at)])), `split at ${at}`).toEqual(whole);
  }
  const third = Math.floor(random() * bytes.length);
  const pieces = [bytes.subarray(0, third), bytes.subarray(third, third + 1), bytes.subarray(third + 1)];
  expect(comparable(parse(pieces))).toEqual(whole);
  expect(comparable(parse(Array.from(bytes, (byte) => Buffer.from([byte]))))).toEqual(whole);
}

describe('however a stream of bytes is cut', () => {
  it.each(streams)('the parse is the same: %j', (text) => {
    const random = seeded(1);
    expect(parse([Buffer.from(text, 'latin1')]).refused).toBeUndefined();
    splitsAgree(text, random);
  });

  it.each([11, 12, 13, 14])('the parse is the same for mutated streams (seed %d)', (seed) => {
    const random = seeded(seed);
    for (let round = 0; round < 60; round += 1) {
      let text = streams[Math.floor(random() * streams.length)] as string;
      for (let times = 1 + Math.floor(random() * 3); times > 0; times -= 1) text = mutated(text, random);
      splitsAgree(text, random);
    }
  });

  it('nothing but a refusal comes out of noise', () => {
    const random = seeded(21);
    for (let round = 0; round < 2_000; round += 1) {
      const bytes = Buffer.from(Array.from({ length: 60 }, () => Math.floor(random() * 256)));
      const { messages } = parse([bytes]);
      expect(messages).toEqual([]);
    }
  });
});
