import { afterEach, describe, expect, it } from 'vitest';
import { adoptSocket, type RawConnection as Given } from '@mooring/runtime';
import { connectRaw, type RawConnection } from '../../testing/raw-http.ts';
import { rawAnswer } from '../raw-answer.ts';
import { Http1Server } from './http1-server.ts';
import type { HttpRequest } from './http-request.ts';
import { defaultLimits } from './limits.ts';

const servers: Http1Server[] = [];
const connections: RawConnection[] = [];
afterEach(async () => {
  for (const { socket } of connections.splice(0)) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => server.close(AbortSignal.abort())));
});

interface Named {
  server: Http1Server;
  url: string;
  /** Answers what has been asked of it and waits. */
  release(): void;
  /** How many requests it got. */
  asked(): number;
}

/** A server that answers with its name (behind `padding` bytes); with `slow`, when it is told to. */
async function start(name: string, { slow = false, headersTimeoutMs = 10_000, padding = 0 } = {}): Promise<Named> {
  const waiting: HttpRequest[] = [];
  let asked = 0;
  const body = Buffer.from('.'.repeat(padding) + name);
  const answer = (request: HttpRequest): void => request.respond({ status: 200, headers: '', body });
  const limits = { ...defaultLimits, connectionsMax: 100, headersTimeoutMs, bodyIdleTimeoutMs: 10_000 };
  const server = new Http1Server(
    { ...limits, bodyTimeoutMs: 60_000, keepAliveTimeoutMs: 30_000 },
    {
      handle: (request) => {
        asked += 1;
        if (slow) waiting.push(request);
        else answer(request);
      },
      refuse: (error) => rawAnswer(error, 'refused'),
    },
  );
  servers.push(server);
  const port = await server.listen({ host: '127.0.0.1', port: 0 }, () => undefined);
  return {
    server,
    url: `http://127.0.0.1:${port}`,
    release: () => waiting.splice(0).forEach(answer),
    asked: () => asked,
  };
}

async function connect(url: string): Promise<RawConnection> {
  const connection = await connectRaw(url);
  connections.push(connection);
  return connection;
}

const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

describe('a server whose place another one takes', () => {
  it('gives idle connections away; what was sent on one just then is answered by the other', async () => {
    const [old, next] = [await start('old'), await start('next', { headersTimeoutMs: 200 })];
    const [used, fresh] = [await connect(old.url), await connect(old.url)];
    used.send(get);
    await used.until(/old$/);
    const given: Given[] = [];
    const closed = old.server.close(AbortSignal.timeout(5_000), (connection) => void given.push(connection));
    used.send(get);
    fresh.send(get);
    await closed;
    for (const connection of given) next.server.adopt(adoptSocket(connection));
    expect(await used.until(/next$/)).not.toMatch(/close/i);
    expect(await fresh.until(/next$/)).toContain('200');
    // It is a kept connection there as well, not one that is slow to say its first word.
    await new Promise((resolve) => setTimeout(resolve, 500));
    used.send(get);
    expect(await used.until(/next[^]*next$/)).not.toContain('408');
  });

  it('answers what is open itself and says that the connection ends; its end comes behind the answer', async () => {
    const old = await start('old', { slow: true });
    const [busy, halfSent] = [await connect(old.url), await connect(old.url)];
    busy.send(get);
    halfSent.send(get.slice(0, 12));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const given: Given[] = [];
    const closed = old.server.close(AbortSignal.timeout(5_000), (connection) => void given.push(connection));
    halfSent.send(get.slice(12));
    const released = setInterval(() => old.release(), 10);
    for (const connection of [busy, halfSent]) expect(await connection.closed()).toMatch(/connection: close[^]*old$/i);
    await closed;
    clearInterval(released);
    expect(given).toEqual([]);
  });

  it('answers what came while an answer waited for a slow reader, and was not looked at yet', async () => {
    const old = await start('old', { padding: 16 * 2 ** 20 });
    const caller = await connect(old.url);
    caller.socket.pause();
    caller.send(get);
    await expect.poll(old.asked).toBe(1);
    caller.send(get);
    // It is in this process by now, and its connection is not read from.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const given: Given[] = [];
    const closed = old.server.close(AbortSignal.timeout(10_000), (connection) => void given.push(connection));
    caller.socket.resume();
    const text = await caller.closed(10_000);
    await closed;
    expect(text.match(/HTTP\/1.1 200/g)).toHaveLength(2);
    expect([old.asked(), given.length]).toEqual([2, 0]);
  });
});
