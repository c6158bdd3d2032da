import { createServer, type Server } from 'node:http';
import { createConnection, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seeded } from '@mooring/testing';
import { parseText } from './testing/parse.ts';

interface Seen {
  method: string | undefined;
  target: string | undefined;
  version: string;
  rawHeaders: string[];
  headers: Record<string, unknown>;
  body: string;
}

let server: Server;
let seen: Seen[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.setEncoding('latin1').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const { method, url: target, httpVersion: version, rawHeaders, headers } = request;
      seen.push({ method, target, version, rawHeaders, headers: { ...headers }, body });
      response.end();
    });
  });
  server.on('checkContinue', (request, response) => server.emit('request', request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

/** What node:http understands of a stream that ends with a request that closes the connection. */
async function asNodeSees(text: string): Promise<Seen[]> {
  seen = [];
  const socket = createConnection((server.address() as AddressInfo).port, '127.0.0.1');
  socket.resume().write(Buffer.from(text, 'latin1'));
  await new Promise((resolve, reject) => socket.once('close', resolve).once('error', reject));
  return seen;
}

function asWeSee(text: string): Seen[] {
  const { messages, refused } = parseText(text);
  expect(refused).toBeUndefined();
  return messages.map(({ head, body }) => ({
    method: head.method,
    target: head.target,
    version: `1.${head.minorVersion}`,
    rawHeaders: [...head.rawHeaders],
    headers: { ...head.headers },
    body,
  }));
}

type Random = () => number;
const among = <T>(items: readonly T[], random: Random): T => items[Math.floor(random() * items.length)] as T;
const text = (characters: string, lengthMax: number, random: Random): string =>
  Array.from({ length: Math.floor(random() * lengthMax) }, () => among([...characters], random)).join('');

const names = [
  'Accept', 'accept', 'ACCEPT-ENCODING', 'Authorization', 'authorization', 'Content-Type', 'Cookie', 'cookie', 'User-Agent',
  'Traceparent', 'X-Request-Id', 'x-ms-client-request-id', 'Referer', 'If-Modified-Since', 'From', 'ETag', 'Location',
  'Max-Forwards', 'Server', 'Age', 'Expires', 'Last-Modified', 'Retry-After', 'Proxy-Authorization', 'constructor', 'X-!#$%',
]; // prettier-ignore
const targets = ['/', '/a/b?c=d&e=%20', '*', 'http://x/a', '/%zz', '//', '/;a', '/?', `/${'a'.repeat(2_000)}`];
const valueCharacters = 'abcXYZ019 \t,;:="\'()<>@/[]{}\\?!#$%&*+-.^_`|~\x80\xe9\xff';

function anyHeaders(random: Random): string {
  const count = Math.floor(random() * 12);
  const lines = Array.from({ length: count }, () => {
    return `${among(names, random)}:${text(' \t', 3, random)}${text(valueCharacters, 40, random)}${text(' \t', 3, random)}\r\n`;
  });
  return lines.join('');
}

function anyRequest(random: Random, last: boolean): string {
  const method = among(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'], random);
  const body = text('abc\r\n\0\xff0123', 300, random);
  const head = `${method} ${among(targets, random)} HTTP/1.1\r\nHost: x\r\n${anyHeaders(random)}${last ? 'Connection: close\r\n' : ''}`;
  const kind = random();
  if (kind < 0.3) return `${head}\r\n`;
  if (kind < 0.65) return `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
  const cut = Math.floor(random() * body.length);
  const chunks = [body.slice(0, cut), body.slice(cut)].filter((piece) => piece !== '');
  const extension = among(['', ';a=b', ';a'], random);
  const trailer = among(['', 'T: u\r\n'], random);
  const coded = chunks.map((piece) => `${piece.length.toString(16)}${extension}\r\n${piece}\r\n`).join('');
  return `${head}Transfer-Encoding: chunked\r\n\r\n${coded}0\r\n${trailer}\r\n`;
}

describe('for valid requests the parser agrees with node:http', () => {
  it.each(Array.from({ length: 20 }, (_unused, index) => index + 1))('seed %d', async (seed) => {
    const random = seeded(seed);
    for (let round = 0; round < 10; round += 1) {
      const count = 1 + Math.floor(random() * 4);
      const stream = Array.from({ length: count }, (_unused, index) => anyRequest(random, index === count - 1)).join(
        '',
      );
      expect(asWeSee(stream), JSON.stringify(stream)).toEqual(await asNodeSees(stream));
    }
  });

  it('HTTP/1.0 among them', async () => {
    const stream = 'POST /a HTTP/1.0\r\nContent-Length: 1\r\n\r\na';
    expect(asWeSee(stream)).toEqual(await asNodeSees(stream));
  });
});
