import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '@mooring/testing';
import { connectRaw, type RawConnection } from '../../testing/raw-http.ts';
import { Http1Server } from './http1-server.ts';
import type { HttpRequest } from './http-request.ts';
import { defaultLimits } from './limits.ts';
import { readShared } from './shared-read.ts';

const ends: (() => Promise<unknown>)[] = [];
const connections: RawConnection[] = [];
afterEach(async () => {
  for (const { socket } of connections.splice(0)) socket.destroy();
  await Promise.all(ends.splice(0).map((end) => end()));
});

async function connect(url: string): Promise<RawConnection> {
  const connection = await connectRaw(url);
  connections.push(connection);
  return connection;
}

async function serve(answer: (request: HttpRequest) => void): Promise<string> {
  const server = new Http1Server(
    {
      ...defaultLimits,
      connectionsMax: 100,
      headersTimeoutMs: 10_000,
      bodyIdleTimeoutMs: 10_000,
      bodyTimeoutMs: 60_000,
      keepAliveTimeoutMs: 30_000,
    },
    { handle: answer, refuse: () => '' },
  );
  ends.push(() => server.close(AbortSignal.abort()));
  return `http://127.0.0.1:${await server.listen({ host: '127.0.0.1', port: 0 }, () => undefined)}`;
}

/** Whether `text` has left for the other side's kernel in time. */
function sentWithin(ms: number, socket: Socket, text: string): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms, false);
    socket.write(text, () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

/** Answers with the body once it is here. */
function echo(request: HttpRequest): void {
  const pieces: Buffer[] = [];
  request.receive({
    data: (piece) => void pieces.push(Buffer.from(piece)),
    end: () => request.respond({ status: 200, headers: '', body: Buffer.concat(pieces) }),
    fail: () => undefined,
  });
}

describe('connections that are read into one buffer', () => {
  it('share it: this version of Node has the names that reading into it takes', async () => {
    const memory = new Set<ArrayBufferLike>();
    const texts: string[] = [];
    const server = createServer((socket: Socket) => {
      readShared(socket, (bytes) => {
        memory.add(bytes.buffer);
        texts.push(bytes.toString());
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ends.push(() => new Promise((resolve) => server.close(resolve)));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (const text of ['one', 'two', 'three']) {
      (await connect(url)).send(text);
      await eventually(() => expect(texts).toContain(text));
    }
    expect(memory.size).toBe(1);
  });

  it('keep what they were sent while others are read: heads and bodies in pieces, and what waits', async () => {
    const held: HttpRequest[] = [];
    const url = await serve((request) => {
      if (request.head.target === '/hold') held.push(request);
      else echo(request);
    });
    const pieces = 10;
    // No two parts of a body are alike, nor two bodies.
    const bodies = ['a', 'b', 'c', 'd'].map((letter) =>
      Array.from({ length: 30_000 }, (_unused, n) => `${letter}${n}`).join(','),
    );
    const callers = await Promise.all(
      bodies.map(async (body) => ({ body, size: Math.ceil(body.length / pieces), connection: await connect(url) })),
    );
    // Behind a request that is not answered yet the next one is read ahead, up to a little.
    for (const { connection } of callers) connection.send('GET /hold HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually(() => expect(held).toHaveLength(bodies.length));
    const head = ({ length }: string): string => `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`;
    for (const { connection, body } of callers) connection.send(head(body).slice(0, 20));
    for (const { connection, body } of callers) connection.send(head(body).slice(20));
    for (let piece = 0; piece < pieces; piece += 1) {
      for (const { connection, body, size } of callers) connection.send(body.slice(piece * size, (piece + 1) * size));
      // Read in turns, so that each overwrites what the one before it left.
      await new Promise((resolve) => setImmediate(resolve));
      if (piece !== 1) continue;
      for (const request of held) request.respond({ status: 200, headers: '', body: Buffer.from('held') });
    }
    for (const { connection, body } of callers) {
      const text = await connection.until(new RegExp(`${body.slice(-6)}$`));
      expect(text.slice(text.lastIndexOf('\r\n\r\n') + 4) === body).toBe(true);
    }
  });

  it('hear that a caller has left while no more of its requests are taken', async () => {
    const requests: HttpRequest[] = [];
    const url = await serve((request) => void requests.push(request));
    const caller = await connect(url);
    caller.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(defaultLimits.pipelineMax + 5));
    await eventually(() => expect(requests).toHaveLength(defaultLimits.pipelineMax));
    const { signal } = requests[0] as HttpRequest;
    caller.socket.destroy();
    await eventually(() => expect(signal.aborted).toBe(true));
    expect(requests).toHaveLength(defaultLimits.pipelineMax);
  });

  it('are not read from beyond a little while no more of their requests are taken', async () => {
    const requests: HttpRequest[] = [];
    const url = await serve((request) => void requests.push(request));
    const caller = await connect(url);
    const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
    caller.send(get.repeat(defaultLimits.pipelineMax));
    await eventually(() => expect(requests).toHaveLength(defaultLimits.pipelineMax));
    // Until the kernel's buffers are full, which are some megabytes.
    const many = get.repeat(10_000);
    let taken = 0;
    while (taken < 50 && (await sentWithin(300, caller.socket, many))) taken += 1;
    expect(taken).toBeLessThan(50);
    for (const request of requests.slice()) request.respond({ status: 200, headers: '', body: Buffer.from('first') });
    await eventually(() => expect(requests).toHaveLength(2 * defaultLimits.pipelineMax));
  });
});

describe('answers of one turn of the event loop', () => {
  it('of one connection leave in one write, in the order of the requests', async () => {
    const url = await serve((request) => {
      request.respond({ status: 200, headers: '', body: Buffer.from(request.head.target) });
    });
    const caller = await connect(url);
    const reads: string[] = [];
    caller.socket.on('data', (bytes) => reads.push(bytes.toString()));
    const targets = Array.from({ length: 10 }, (_unused, n) => `/${n}`);
    caller.send(targets.map((target) => `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`).join(''));
    const text = await caller.until(/\/9$/);
    expect(text.match(/\/\d(?=HTTP|$)/g)).toEqual(targets);
    expect(reads).toHaveLength(1);
  });
});
