import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '@mooring/testing';
import { connectRaw, type RawConnection } from '../../testing/raw-http.ts';
import { rawAnswer } from '../raw-answer.ts';
import { Http1Server } from './http1-server.ts';
import type { HttpRequest } from './http-request.ts';
import { defaultLimits, type HttpLimits } from './limits.ts';

const limits: HttpLimits = {
  ...defaultLimits,
  connectionsMax: 100,
  headersTimeoutMs: 10_000,
  bodyIdleTimeoutMs: 10_000,
  bodyTimeoutMs: 60_000,
  keepAliveTimeoutMs: 30_000,
};

interface Running {
  server: Http1Server;
  url: string;
  requests: HttpRequest[];
  /** How the requests ended, in the order in which they did. */
  closed: [target: string, delivered: boolean][];
}

const running: Running[] = [];
const connections: RawConnection[] = [];
afterEach(async () => {
  for (const { socket } of connections.splice(0)) socket.destroy();
  await Promise.all(running.splice(0).map(({ server }) => server.close(AbortSignal.abort())));
});

async function start(answer: (request: HttpRequest) => void, changes: Partial<HttpLimits> = {}): Promise<Running> {
  const requests: HttpRequest[] = [];
  const closed: [string, boolean][] = [];
  const server = new Http1Server(
    { ...limits, ...changes },
    {
      handle: (request) => {
        requests.push(request);
        request.owner = { closed: (delivered) => void closed.push([request.head.target, delivered]) };
        answer(request);
      },
      refuse: (error) => rawAnswer(error, 'refused'),
    },
  );
  const port = await server.listen({ host: '127.0.0.1', port: 0 }, (error) => expect.unreachable(error.message));
  const started = { server, url: `http://127.0.0.1:${port}`, requests, closed };
  running.push(started);
  return started;
}

async function connect({ url }: Running): Promise<RawConnection> {
  const connection = await connectRaw(url);
  connections.push(connection);
  return connection;
}

const get = (target: string, headers = ''): string => `GET ${target} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
const post = (target: string, body: string): string =>
  get(target, `Content-Length: ${body.length}\r\n`).replace('GET', 'POST') + body;
const respond = (request: HttpRequest, body = request.head.target): void =>
  request.respond({ status: 200, headers: '', body: Buffer.from(body) });
const later = (): void => undefined;

describe('answers', () => {
  it('go out in the order of the requests, whichever is ready first', async () => {
    const server = await start(later);
    const connection = await connect(server);
    connection.send(get('/1') + post('/2', 'body') + get('/3'));
    await eventually(() => expect(server.requests).toHaveLength(3));
    for (const request of server.requests.toReversed()) respond(request);
    const text = await connection.until(/\/3$/);
    expect(text.match(/\/\d$|\/\d(?=HTTP)/g)).toEqual(['/1', '/2', '/3']);
    expect(server.closed).toEqual([
      ['/1', true],
      ['/2', true],
      ['/3', true],
    ]);
  });

  it('say when they were made, how long they are, and whether the connection goes on', async () => {
    const connection = await connect(await start(respond));
    connection.send(get('/'));
    const text = await connection.until(/\/$/);
    expect(text).toMatch(
      /^HTTP\/1\.1 200 OK\r\ndate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\nconnection: keep-alive\r\nkeep-alive: timeout=30\r\ncontent-length: 1\r\n\r\n\/$/,
    );
    expect(Math.abs(Date.parse(/date: (.*)\r/.exec(text)?.[1] ?? '') - Date.now())).toBeLessThan(2_000);
  });

  it('have no body for HEAD, and no length either with 204', async () => {
    const server = await start((request) => {
      const status = request.head.target === '/204' ? 204 : 200;
      request.respond({ status, headers: '', body: Buffer.from('body') });
    });
    const connection = await connect(server);
    connection.send(get('/').replace('GET', 'HEAD') + get('/204') + get('/end'));
    const text = await connection.until(/body$/);
    expect(text.match(/content-length: 4/g)).toHaveLength(2);
    expect(text.match(/body/g)).toHaveLength(1);
  });

  it('of several megabytes arrive whole, after small ones and before others', async () => {
    const large = Buffer.alloc(8 * 2 ** 20, 'x');
    const server = await start((request) => {
      request.respond({ status: 200, headers: '', body: request.head.target === '/large' ? large : Buffer.from('s') });
    });
    const connection = await connect(server);
    connection.send(get('/1') + get('/large') + get('/2', 'Connection: close\r\n'));
    const text = await connection.closed();
    expect(text.lastIndexOf('x') - text.indexOf('x') + 1).toBe(large.length);
    expect(text).toMatch(/^[^x]+x{3}/);
    expect(text.endsWith('s')).toBe(true);
    expect(new Map(server.closed)).toEqual(new Map(['/1', '/large', '/2'].map((target) => [target, true])));
  });

  it('to HTTP/1.0 close the connection unless the caller asks to keep it', async () => {
    const server = await start(respond);
    const closing = await connect(server);
    closing.send('GET /a HTTP/1.0\r\n\r\n');
    expect(await closing.closed()).toMatch(/connection: close\r\n[^]*\/a$/);
    const kept = await connect(server);
    kept.send('GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    expect(await kept.until(/\/a$/)).toMatch(/connection: keep-alive/);
    kept.send('GET /b HTTP/1.0\r\n\r\n');
    await kept.until(/\/b$/);
  });

  it('after "connection: close" are not followed by any, whatever else was sent', async () => {
    const server = await start(respond);
    const connection = await connect(server);
    connection.send(get('/1', 'Connection: close\r\n') + get('/2'));
    expect(await connection.closed()).toMatch(/connection: close[^]*\/1$/);
    expect(server.requests).toHaveLength(1);
  });
});

describe('an answer that is given before the body is here', () => {
  const early = (length: number, headers = ''): string =>
    get('/early', `Content-Length: ${length}\r\n${headers}`).replace('GET', 'POST');

  it('keeps the connection where little of the body is left, which nobody gets', async () => {
    const server = await start(respond);
    const connection = await connect(server);
    connection.send(`${early(1_000)}xxxx`);
    expect(await connection.until(/\/early$/)).toMatch(/connection: keep-alive/);
    await eventually(() => expect(server.closed).toEqual([['/early', true]]));
    connection.send('x'.repeat(996) + get('/next'));
    expect(await connection.until(/\/next$/)).not.toMatch(/connection: close/);
  });

  it('closes the connection where much is left, and is read by a caller that sends on', async () => {
    const connection = await connect(await start(respond));
    connection.send(early(4 * 2 ** 20));
    expect(await connection.until(/\/early$/)).toMatch(/connection: close/);
    connection.send('x'.repeat(4 * 2 ** 20));
    expect(await connection.closed()).toMatch(/\/early$/);
  });

  it('ends the connection when the rest does not come', async () => {
    const server = await start(respond, { bodyIdleTimeoutMs: 200 });
    const connection = await connect(server);
    connection.send(early(100));
    expect(await connection.closed()).toMatch(/keep-alive[^]*\/early$/);
  });

  it('does not hold up a server that closes', async () => {
    const { server, ...rest } = await start(respond);
    const connection = await connect({ server, ...rest });
    connection.send(early(100));
    await connection.until(/\/early$/);
    const closed = server.close(AbortSignal.timeout(5_000));
    connection.send('x'.repeat(100));
    await closed;
    await connection.closed();
  });
});

describe('a caller that sends faster than it is answered', () => {
  it('has no more than a few requests worked on at once, and gets every answer in order', async () => {
    let open = 0;
    let most = 0;
    const server = await start((request) => {
      open += 1;
      most = Math.max(most, open);
      setImmediate(() => {
        open -= 1;
        respond(request);
      });
    });
    const connection = await connect(server);
    const count = 2_000;
    connection.send(
      Array.from({ length: count }, (_unused, n) => get(`/${n}`, `X: ${'x'.repeat(n % 50)}\r\n`)).join(''),
    );
    const text = await connection.until(new RegExp(`/${count - 1}$`), 20_000);
    expect(text.match(/\/\d+(?=HTTP|$)/g)).toEqual(Array.from({ length: count }, (_unused, n) => `/${n}`));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(defaultLimits.pipelineMax);
  });

  it('and does not read is not read from either', async () => {
    const body = 'x'.repeat(2 ** 20);
    const server = await start((request) => respond(request, body));
    const connection = await connect(server);
    connection.socket.pause();
    connection.send(get('/').repeat(500));
    await eventually(() => expect(server.requests.length).toBeGreaterThan(2));
    const handled = async (): Promise<number> => {
      const before = server.requests.length;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return server.requests.length === before ? before : handled();
    };
    expect(await handled()).toBeLessThan(60);
    connection.socket.resume();
    await eventually(() => expect(server.closed).toHaveLength(500), { timeoutMs: 20_000 });
  });

  it('and never reads is given up', async () => {
    const server = await start((request) => respond(request, 'x'.repeat(32 * 2 ** 20)), { writeStallTimeoutMs: 200 });
    const connection = await connect(server);
    connection.socket.pause();
    connection.send(get('/'));
    await eventually(() => expect(server.closed).toEqual([['/', false]]), { timeoutMs: 5_000 });
  });
});

describe('a body', () => {
  it('that comes with its head is there at once; one that does not is received piece by piece', async () => {
    const server = await start(later);
    const connection = await connect(server);
    connection.send(post('/whole', 'abc'));
    await eventually(() => expect(server.requests).toHaveLength(1));
    expect(server.requests[0]?.takeWhole()?.toString()).toBe('abc');
    respond(server.requests[0] as HttpRequest);
    connection.send(get('/pieces', 'Transfer-Encoding: chunked\r\n') + '1\r\na');
    await eventually(() => expect(server.requests).toHaveLength(2));
    const [, request] = server.requests;
    expect(request?.takeWhole()).toBeUndefined();
    let heard = '';
    request?.receive({
      data: (piece) => (heard += piece.toString()),
      end: () => (heard += '.'),
      fail: () => (heard += '!'),
    });
    connection.send('\r\n2\r\nbc\r\n0\r\n\r\n');
    await eventually(() => expect(heard).toBe('abc.'));
  });

  it('that nobody reads is dropped: the answer arrives, then the connection ends', async () => {
    const server = await start(respond);
    const connection = await connect(server);
    connection.send(get('/', 'Content-Length: 3000000\r\n'));
    const sent = Buffer.alloc(3_000_000);
    connection.send(sent);
    expect(await connection.closed()).toMatch(/connection: close[^]*\/$/);
    expect(server.closed).toEqual([['/', true]]);
  });

  it('that breaks off in the middle fails, and so does one whose sender leaves', async () => {
    const failures: string[] = [];
    const server = await start((request) =>
      request.receive({ data: later, end: later, fail: ({ reason }) => void failures.push(reason) }),
    );
    const broken = await connect(server);
    broken.send(get('/', 'Transfer-Encoding: chunked\r\n') + '1\r\na');
    await eventually(() => expect(server.requests).toHaveLength(1));
    broken.send('bc');
    await eventually(() => expect(failures).toEqual(['HTTP_MALFORMED']));
    const leaving = await connect(server);
    leaving.send(get('/', 'Content-Length: 10\r\n') + 'a');
    await eventually(() => expect(server.requests).toHaveLength(2));
    leaving.socket.destroy();
    await eventually(() => expect(failures).toEqual(['HTTP_MALFORMED', 'CALLER_GONE']));
  });

  it('that waits for 100-continue is asked for once its turn has come', async () => {
    const server = await start((request) => {
      if (request.head.expectsContinue) request.receive({ data: later, end: () => respond(request), fail: later });
    });
    const connection = await connect(server);
    connection.send(get('/1') + get('/2', 'Expect: 100-continue\r\nContent-Length: 1\r\n'));
    await eventually(() => expect(server.requests).toHaveLength(2));
    respond(server.requests[0] as HttpRequest);
    expect(await connection.until(/100 Continue\r\n\r\n$/)).toMatch(/\/1HTTP\/1\.1 100 Continue\r\n\r\n$/);
    connection.send('a');
    await connection.until(/\/2$/);
  });
});

describe('what is no request', () => {
  it.each([
    { name: 'bytes', text: 'nonsense\r\n\r\n', status: 400 },
    { name: 'CONNECT', text: 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n', status: 405 },
    { name: 'an unknown expectation', text: get('/2', 'Expect: tea\r\n'), status: 417 },
    { name: 'another version', text: 'GET / HTTP/3.0\r\n\r\n', status: 505 },
    { name: 'a long target', text: get(`/${'a'.repeat(9_000)}`), status: 414 },
  ])(
    'is answered $status behind the answers that are owed, and ends the connection: $name',
    async ({ text, status }) => {
      const server = await start(later);
      const connection = await connect(server);
      connection.send(get('/1') + text + get('/3'));
      await eventually(() => expect(server.requests).toHaveLength(1));
      respond(server.requests[0] as HttpRequest);
      const all = await connection.closed();
      expect(all.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 200', `HTTP/1.1 ${status}`]);
      expect(server.requests).toHaveLength(1);
    },
  );
});

describe('a connection', () => {
  it('that is gone takes its requests along and tells who works for them', async () => {
    const server = await start(later);
    const connection = await connect(server);
    connection.send(get('/1') + get('/2'));
    await eventually(() => expect(server.requests).toHaveLength(2));
    const signals = server.requests.map(({ signal }) => signal);
    connection.socket.destroy();
    await eventually(() =>
      expect(server.closed).toEqual([
        ['/1', false],
        ['/2', false],
      ]),
    );
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
    // An answer that comes now has nowhere to go, and does no harm.
    for (const request of server.requests) respond(request);
    expect(server.requests.every(({ settled }) => settled)).toBe(true);
  });

  it('beyond the most that are taken is closed at once', async () => {
    const server = await start(respond, { connectionsMax: 2 });
    const [first, second] = [await connect(server), await connect(server)];
    const third = await connect(server);
    expect(await third.closed()).toBe('');
    for (const connection of [first, second]) {
      connection.send(get('/'));
      await connection.until(/\/$/);
    }
  });

  it('that is idle for long is closed, and one that is slow to say what it wants is refused', async () => {
    const server = await start(respond, { keepAliveTimeoutMs: 400, headersTimeoutMs: 400 });
    const [idle, silent, slow] = [await connect(server), await connect(server), await connect(server)];
    idle.send(get('/'));
    const trickle = setInterval(() => slow.send('X: 1\r\n'), 50);
    slow.send('GET / HTTP/1.1\r\nHost: x\r\n');
    try {
      expect(await idle.closed()).toMatch(/\/$/);
      expect(await silent.closed()).toMatch(/^HTTP\/1\.1 408/);
      expect(await slow.closed()).toMatch(/^HTTP\/1\.1 408/);
    } finally {
      clearInterval(trickle);
    }
  });

  it('is not idle while its request is worked on', async () => {
    const server = await start(later, { keepAliveTimeoutMs: 200 });
    const connection = await connect(server);
    connection.send(get('/'));
    await new Promise((resolve) => setTimeout(resolve, 600));
    respond(server.requests[0] as HttpRequest);
    await connection.until(/\/$/);
  });
});

describe('closing', () => {
  it('ends idle connections at once and busy ones behind their last answer', async () => {
    const server = await start((request) => {
      if (request.head.target === '/now') respond(request);
    });
    const [silent, idle, busy] = [await connect(server), await connect(server), await connect(server)];
    idle.send(get('/now'));
    await idle.until(/now$/);
    busy.send(get('/1') + get('/2'));
    await eventually(() => expect(server.requests).toHaveLength(3));
    const closed = server.server.close(AbortSignal.timeout(10_000));
    await Promise.all([silent.closed(), idle.closed()]);
    for (const request of server.requests.slice(1)) respond(request);
    const text = await busy.closed();
    expect(text).toMatch(/connection: keep-alive[^]*\/1HTTP[^]*connection: close[^]*\/2$/);
    await closed;
  });

  it('gives up on what is open when told so', async () => {
    const server = await start(later);
    const connection = await connect(server);
    connection.send(get('/'));
    await eventually(() => expect(server.requests).toHaveLength(1));
    await server.server.close(AbortSignal.timeout(50));
    await connection.closed();
    await eventually(() => expect(server.closed).toEqual([['/', false]]));
  });
});
