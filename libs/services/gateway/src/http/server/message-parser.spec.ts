import { describe, expect, it } from 'vitest';
import { MessageParser } from './message-parser.ts';
import { defaultLimits } from './limits.ts';
import { parseText } from './testing/parse.ts';

const post = (headers: string, body = ''): string => `POST /a HTTP/1.1\r\nHost: x\r\n${headers}\r\n${body}`;
const chunked = (body: string): string => post('Transfer-Encoding: chunked\r\n', body);
const characters = (codes: readonly number[]): string[] => codes.map((code) => String.fromCharCode(code));
const controls = characters([...Array.from({ length: 32 }, (_unused, code) => code), 127]);
const separators = [...'"(),/:;<=>?@[\\]{}'];
const named = (text: string): string => JSON.stringify(text).slice(0, 70);
const { headBytesMax, lineBytesMax, headersMax, chunkExtraBytesMax } = defaultLimits;

const malformed = [
  // The request line.
  ...controls.filter((control) => control !== '\r').map((control) => `${control}GET / HTTP/1.1\r\nHost: x\r\n\r\n`),
  ...separators.map((separator) => `GE${separator}T / HTTP/1.1\r\nHost: x\r\n\r\n`),
  ...[...controls, '\x80', '\xff'].map((byte) => `GET /a${byte}b HTTP/1.1\r\nHost: x\r\n\r\n`),
  ' GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET\r\nHost: x\r\n\r\n',
  'GET \r\nHost: x\r\n\r\n',
  'GET /\r\nHost: x\r\n\r\n',
  'GET / \r\nHost: x\r\n\r\n',
  'GET  / HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET /  HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET /\tHTTP/1.1\r\nHost: x\r\n\r\n',
  'GET / HTTP/1.1 \r\nHost: x\r\n\r\n',
  'GET / a HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET / http/1.1\r\nHost: x\r\n\r\n',
  'GET / HTTP/1\r\nHost: x\r\n\r\n',
  'GET / HTTP/1.1.1\r\nHost: x\r\n\r\n',
  'GET / HTTP/11.1\r\nHost: x\r\n\r\n',
  'GET / HTTP/ 1.1\r\nHost: x\r\n\r\n',
  'GET / HTTPS/1.1\r\nHost: x\r\n\r\n',
  'GET / ICY/1.1\r\nHost: x\r\n\r\n',
  `${'G'.repeat(33)} / HTTP/1.1\r\nHost: x\r\n\r\n`,
  `${'\r\n'.repeat(5)}GET / HTTP/1.1\r\nHost: x\r\n\r\n`,
  '\n\nGET / HTTP/1.1\r\nHost: x\r\n\r\n',
  // Header names.
  ...[...controls, '\x80', '\xff'].map((byte) => post(`X${byte}Y: 1\r\n`)),
  ...separators.filter((separator) => separator !== ':').map((separator) => post(`X${separator}Y: 1\r\n`)),
  post(': 1\r\n'),
  post('X : 1\r\n'),
  post('X\t: 1\r\n'),
  post('X\r\n'),
  post('X Y: 1\r\n'),
  // Header values and line ends.
  ...controls.filter((control) => control !== '\t').map((control) => post(`X: a${control}b\r\n`)),
  post('X: a\r\n b\r\n'),
  post('X: a\r\n\tb\r\n'),
  post(' X: a\r\n'),
  post('X: a\rY: b\r\n'),
  post('X: a\nY: b\r\n'),
  post('X: a\n\r\n'),
  post('X: a\r\r\n'),
  'GET / HTTP/1.1\nHost: x\n\r\n\r\n',
  // The host.
  'GET / HTTP/1.1\r\n\r\n',
  'GET / HTTP/1.1\r\nX: 1\r\n\r\n',
  ...['a b', 'a,b', 'a/b', 'a@b', 'a\\b', 'a"b', 'a<b', 'a\xe9'].map(
    (host) => `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
  ),
  'GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: x\r\nHOST: y\r\n\r\n',
  // The length: every way to say it twice or in two ways.
  ...['-1', '+1', '1e1', '0x1', '1.0', '1 1', '1,1', '1, 1', '', ' ', 'abc', '1;', '1234567890123456', '٣'].map(
    (length) => post(`Content-Length: ${length}\r\n`, 'a'),
  ),
  post('Content-Length: 1\r\nContent-Length: 1\r\n', 'a'),
  post('Content-Length: 1\r\ncontent-length: 2\r\n', 'a'),
  post('Content-Length: 1\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  post('Transfer-Encoding: chunked\r\nContent-Length: 1\r\n', '0\r\n\r\n'),
  post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  ...[
    '',
    'identity',
    'gzip',
    'chunked, gzip',
    'gzip, chunked',
    'chunked, chunked',
    'xchunked',
    'chunked;q=1',
    '"chunked"',
  ].map((coding) => post(`Transfer-Encoding: ${coding}\r\n`, '0\r\n\r\n')),
  'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  // Chunks.
  ...['', 'g', '-1', '+1', '0x1', ' 1', '1 ', '1\t', '1 1', '1,', '1\n', '123456789'].map((size) =>
    chunked(`${size}\r\na\r\n`),
  ),
  chunked('1\ra\r\n0\r\n\r\n'),
  chunked('1\na\r\n0\r\n\r\n'),
  chunked('1\r\nab\r\n0\r\n\r\n'),
  chunked('1\r\na\n0\r\n\r\n'),
  chunked('1\r\na0\r\n\r\n'),
  chunked('2\r\na\r\n0\r\n\r\n'),
  chunked('1\r\na\r\n\r\n'),
  chunked('1;a\nb\r\na\r\n'),
  chunked('1;a\0\r\na\r\n'),
  chunked('1;a\rb\r\na\r\n'),
  chunked('0\r\nX : 1\r\n\r\n'),
  chunked('0\r\nX\r\n\r\n'),
  chunked('0\r\n X: 1\r\n\r\n'),
  chunked('0\r\nX: 1\r\n Y\r\n\r\n'),
  chunked('0\r\nX: 1\nY: 2\r\n\r\n'),
  chunked('0\r\nX: \0\r\n\r\n'),
  chunked('0\r\n\rX'),
];

describe('a malformed message', () => {
  it(`is tried in ${malformed.length} ways, all different`, () => {
    expect(malformed.length).toBeGreaterThan(250);
    expect(new Set(malformed).size).toBe(malformed.length);
  });

  it.each(malformed.map((text) => ({ name: named(text), text })))('is refused: $name', ({ text }) => {
    const { messages, refused } = parseText(text);
    expect(refused).toBe('HTTP_MALFORMED');
    expect(messages.filter(({ complete }) => complete)).toEqual([]);
  });

  it.each([
    { name: 'HTTP/0.9', text: 'GET / HTTP/0.9\r\n\r\n', refused: 'HTTP_VERSION_UNSUPPORTED' },
    { name: 'HTTP/1.2', text: 'GET / HTTP/1.2\r\nHost: x\r\n\r\n', refused: 'HTTP_VERSION_UNSUPPORTED' },
    { name: 'the preface of HTTP/2', text: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', refused: 'HTTP_VERSION_UNSUPPORTED' },
    { name: 'a target too long', text: `GET /${'a'.repeat(lineBytesMax)} HTTP/1.1\r\n`, refused: 'URI_TOO_LONG' },
    { name: 'a line without end', text: 'a'.repeat(lineBytesMax + 1), refused: 'URI_TOO_LONG' },
    { name: 'a header too long', text: post(`X: ${'a'.repeat(headBytesMax)}\r\n`), refused: 'HEADERS_TOO_LARGE' },
    {
      name: 'headers without end',
      text: `GET / HTTP/1.1\r\n${'X: 1\r\n'.repeat(4_000)}`,
      refused: 'HEADERS_TOO_LARGE',
    },
    { name: 'too many headers', text: post('X: 1\r\n'.repeat(headersMax)), refused: 'TOO_MANY_HEADERS' },
    {
      name: 'extensions too long',
      text: chunked(`1;${'a'.repeat(chunkExtraBytesMax)}\r\na\r\n`),
      refused: 'CHUNK_EXTENSIONS_TOO_LARGE',
    },
    {
      name: 'extensions that are too long together',
      text: chunked(`1;${'a'.repeat(1_000)}\r\na\r\n`.repeat(20)),
      refused: 'CHUNK_EXTENSIONS_TOO_LARGE',
    },
    {
      name: 'trailers too long',
      text: chunked(`0\r\nX: ${'a'.repeat(chunkExtraBytesMax)}\r\n`),
      refused: 'HEADERS_TOO_LARGE',
    },
  ])('is refused by its own name: $name', ({ text, refused }) => {
    expect(parseText(text).refused).toBe(refused);
  });

  it('is found at its first byte where no request begins so, without waiting for the rest', () => {
    expect(parseText('\x16\x03\x01').refused).toBe('HTTP_MALFORMED');
    expect(parseText('\0').refused).toBe('HTTP_MALFORMED');
  });
});

describe('a well-formed message', () => {
  it.each([
    { name: 'no headers but the host', text: 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', body: '' },
    { name: 'an empty host', text: 'GET / HTTP/1.1\r\nHost:\r\n\r\n', body: '' },
    { name: 'HTTP/1.0 without a host', text: 'GET / HTTP/1.0\r\n\r\n', body: '' },
    { name: 'every character of a method', text: "!#$%&'*+-.^_`|~aZ9 / HTTP/1.1\r\nHost: x\r\n\r\n", body: '' },
    {
      name: 'every character of a target',
      text: `GET ${characters(Array.from({ length: 94 }, (_u, n) => n + 33)).join('')} HTTP/1.1\r\nHost: x\r\n\r\n`,
      body: '',
    },
    { name: 'an empty line before', text: '\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n', body: '' },
    { name: 'bytes beyond ASCII in a value', text: post('X: \x80\xff\r\n'), body: '' },
    { name: 'an empty value', text: post('X:\r\nY: \t \r\n'), body: '' },
    { name: 'no blank behind the colon', text: post('Content-Length:3\r\n', 'abc'), body: 'abc' },
    { name: 'blanks around a length', text: post('Content-Length: \t 3\t \r\n', 'abc'), body: 'abc' },
    { name: 'a length with zeros before it', text: post('Content-Length: 003\r\n', 'abc'), body: 'abc' },
    { name: 'length 0', text: post('Content-Length: 0\r\n'), body: '' },
    { name: 'a length in any case', text: post('CONTENT-LENGTH: 3\r\n', 'abc'), body: 'abc' },
    { name: 'line ends in the body', text: post('Content-Length: 4\r\n', '\r\n\r\n'), body: '\r\n\r\n' },
    { name: 'a body of GET', text: 'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na', body: 'a' },
    { name: 'no chunk', text: chunked('0\r\n\r\n'), body: '' },
    { name: 'zeros for the last chunk', text: chunked('000\r\n\r\n'), body: '' },
    { name: 'a few chunks', text: chunked('1\r\na\r\n2\r\nbc\r\n0\r\n\r\n'), body: 'abc' },
    {
      name: 'a size in any case',
      text: chunked('a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n'),
      body: '01234567890123456789a',
    },
    { name: 'a chunk of line ends', text: chunked('4\r\n\r\n\r\n\r\n0\r\n\r\n'), body: '\r\n\r\n' },
    { name: 'chunked in any case', text: post('Transfer-Encoding: CHUNKED\r\n', '1\r\na\r\n0\r\n\r\n'), body: 'a' },
    { name: 'chunk extensions', text: chunked('1;a\r\na\r\n1 ; b="c;d"\r\nb\r\n0;e\r\n\r\n'), body: 'ab' },
    { name: 'trailers', text: chunked('1\r\na\r\n0\r\nX: 1\r\nY:\r\n\r\n'), body: 'a' },
  ])('is taken: $name', ({ text, body }) => {
    const { messages, refused } = parseText(text);
    expect(refused).toBeUndefined();
    expect(messages).toEqual([{ head: expect.anything(), body, complete: true }]);
  });

  it.each([
    { connection: '', version: '1.1', keepAlive: true },
    { connection: '', version: '1.0', keepAlive: false },
    { connection: 'keep-alive', version: '1.1', keepAlive: true },
    { connection: 'Keep-Alive', version: '1.0', keepAlive: true },
    { connection: 'close', version: '1.1', keepAlive: false },
    { connection: 'CLOSE', version: '1.1', keepAlive: false },
    { connection: 'upgrade, close', version: '1.1', keepAlive: false },
    { connection: 'close, keep-alive', version: '1.0', keepAlive: false },
    { connection: 'closed', version: '1.1', keepAlive: true },
  ])('keeps the connection or not: $version "$connection"', ({ connection, version, keepAlive }) => {
    const header = connection === '' ? '' : `Connection: ${connection}\r\n`;
    const { messages } = parseText(`GET / HTTP/${version}\r\nHost: x\r\n${header}\r\n`);
    expect(messages[0]?.head.keepAlive).toBe(keepAlive);
  });

  it('shows its headers as sent, and by lower-case name', () => {
    const [message] = parseText(
      post(
        'X-One:  a \r\nx-one: b\r\nCookie: c\r\nCookie: d\r\nAuthorization: e\r\nAuthorization: f\r\n__proto__: g\r\n',
      ),
    ).messages;
    expect(message?.head.rawHeaders).toEqual([
      'Host',
      'x',
      'X-One',
      'a',
      'x-one',
      'b',
      'Cookie',
      'c',
      'Cookie',
      'd',
      'Authorization',
      'e',
      'Authorization',
      'f',
      '__proto__',
      'g',
    ]);
    expect({ ...message?.head.headers }).toEqual({
      host: 'x',
      'x-one': 'a, b',
      cookie: 'c; d',
      authorization: 'e',
      ['__proto__']: 'g',
    });
    expect(message?.head.headers['constructor']).toBeUndefined();
  });

  it('is followed by others; the last one may be incomplete', () => {
    const one = post('Content-Length: 1\r\n', 'a');
    const { messages } = parseText(`${one}${chunked('1\r\nb\r\n0\r\n\r\n')}\r\n${one}${one.slice(0, -1)}`);
    expect(messages.map(({ body, complete }) => [body, complete])).toEqual([
      ['a', true],
      ['b', true],
      ['a', true],
      ['', false],
    ]);
  });

  it('has the same head object when its head is repeated, and another when one byte differs', () => {
    const one = post('Content-Length: 1\r\n', 'a');
    const { messages } = parseText(`${one}${one}${one.replace('x', 'y')}${one}`);
    const heads = messages.map(({ head }) => head);
    expect(heads[1]).toBe(heads[0]);
    expect(heads[2]?.headers['host']).toBe('y');
    expect(heads[3]).not.toBe(heads[0]);
    expect(heads[3]).toEqual(heads[0]);
  });
});

describe('pausing', () => {
  it('keeps what comes until it is resumed, also from within a message', () => {
    const heard: string[] = [];
    const parser: MessageParser = new MessageParser(defaultLimits, {
      head: ({ target }) => void heard.push(target),
      body: (piece) => void heard.push(piece.toString()),
      end: () => {
        heard.push('end');
        parser.pause();
      },
    });
    parser.feed(Buffer.from(`${post('Content-Length: 1\r\n', 'a')}${post('Content-Length: 1\r\n')}`));
    parser.feed(Buffer.from('b'));
    expect(heard).toEqual(['/a', 'a', 'end']);
    expect(parser.between).toBe(false);
    parser.resume();
    expect(heard).toEqual(['/a', 'a', 'end', '/a', 'b', 'end']);
    expect(parser.between).toBe(true);
  });
});
