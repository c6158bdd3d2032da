import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { tempDir } from '@mooring/testing';
import { createWebInput, fileNameOf, type WebInputOptions } from './web-input.ts';

const folder = tempDir('web-input-');
const servers: Server[] = [];
let count = 0;

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});
afterAll(() => folder.remove());

async function serve(listener: RequestListener): Promise<{ port: number; host: string }> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { port, host: `127.0.0.1:${port}` };
}

/** Fetches into a folder of its own; gives the path of the file and what is in the folder. */
async function fetched(
  url: string,
  options: Partial<WebInputOptions> = {},
  signal = AbortSignal.timeout(20_000),
): Promise<{ path: string; folder: string }> {
  count += 1;
  const own = join(folder.path, String(count));
  const hosts = options.hosts ?? new URL(url).host;
  const web = createWebInput({ bytesMax: 1_000, timeoutS: 10, retryMs: 5, ...options, hosts });
  web.check(new URL(url));
  try {
    return { path: await web.fetch(new URL(url), own, signal), folder: own };
  } catch (thrown) {
    // Nothing half written is left for somebody to take for the file.
    for (const below of readdirSync(own)) expect(readdirSync(join(own, below))).toEqual([]);
    throw thrown;
  }
}

describe('an input from the web', () => {
  it('is fetched whole under its own name', async () => {
    const { host } = await serve((_request, response) => response.end('a,b\n1,2\n'));
    const { path } = await fetched(`http://${host}/data/rows.csv?sig=secret`);
    expect([path.endsWith('/rows.csv'), readFileSync(path, 'utf8')]).toEqual([true, 'a,b\n1,2\n']);
  });

  it('is fetched once: what is there stays', async () => {
    let asked = 0;
    const { host } = await serve((_request, response) => response.end(String((asked += 1))));
    const web = createWebInput({ hosts: host, bytesMax: 10, timeoutS: 10 });
    const own = join(folder.path, 'once');
    const signal = AbortSignal.timeout(10_000);
    const paths = [];
    for (let times = 0; times < 3; times += 1) paths.push(await web.fetch(new URL(`http://${host}/x`), own, signal));
    expect([asked, new Set(paths).size, readFileSync(paths[0] ?? '', 'utf8')]).toEqual([1, 1, '1']);
    // Another file of the same name is another one.
    const other = await web.fetch(new URL(`http://${host}/other/x`), own, signal);
    expect([readFileSync(other, 'utf8'), readFileSync(paths[0] ?? '', 'utf8')]).toEqual(['2', '1']);
  });

  it('follows redirects within the list', async () => {
    const { host } = await serve((request, response) => {
      if (request.url === '/b.csv') return response.end('b');
      return response.writeHead(302, { location: '/b.csv' }).end();
    });
    const { path } = await fetched(`http://${host}/a.csv`);
    expect([path.endsWith('/a.csv'), readFileSync(path, 'utf8')]).toEqual([true, 'b']);
  });

  it('is tried again while its server is busy or breaks off', async () => {
    let asked = 0;
    const { host } = await serve((_request, response) => {
      asked += 1;
      if (asked === 1) return response.writeHead(503).end();
      if (asked === 2) {
        response.writeHead(200, { 'content-length': '4' }).write('ab');
        return setImmediate(() => response.destroy());
      }
      return response.end('abcd');
    });
    const { path } = await fetched(`http://${host}/x`);
    expect([asked, readFileSync(path, 'utf8')]).toEqual([3, 'abcd']);
  });

  it.each<[string, RequestListener, string]>([
    ['is gone', (_request, response) => response.writeHead(404).end(), 'answered 404'],
    ['has no end of failing', (_request, response) => response.writeHead(500).end(), 'answered 500'],
    ['says that it is too large', (_q, response) => response.end('x'.repeat(1_001)), 'larger than 1000 bytes'],
    [
      'is too large without saying so',
      (_q, response) => void (response.write('x'.repeat(900)), response.end('x'.repeat(900))),
      'larger than 1000 bytes',
    ],
    ['turns in a circle', (_q, response) => response.writeHead(301, { location: '/' }).end(), 'more than 5 times'],
    [
      'leads elsewhere',
      (_q, response) => response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end(),
      'redirected to 169.254.169.254',
    ],
    [
      'leads to a file',
      (_q, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
      'redirected',
    ],
    ['breaks off each time', (_q, response) => void response.destroy(), 'ECONNRESET'],
  ])('that %s is said so, and nothing is left', async (_what, listener, words) => {
    const { host } = await serve(listener);
    const refused = fetched(`http://${host}/x?sig=secret`);
    await expect(refused).rejects.toMatchObject({ code: 'failed_precondition', reason: 'INPUT_NOT_FETCHED' });
    await expect(refused).rejects.toThrow(words);
    await expect(refused).rejects.not.toThrow('secret');
  });

  it('that does not come in time is said so', async () => {
    const { host } = await serve((_request, response) => void response.write('x'));
    await expect(fetched(`http://${host}/x`, { timeoutS: 0.2 })).rejects.toThrow('did not come within 0.2 s');
  });

  it('is given up when its job is', async () => {
    const { host } = await serve((_request, response) => void response.write('x'));
    const stop = new AbortController();
    const waiting = fetched(`http://${host}/x`, {}, stop.signal);
    setImmediate(() => stop.abort());
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('is refused on a host that is not listed, or with a password', async () => {
    const web = createWebInput({ hosts: 'data.example.org', bytesMax: 1, timeoutS: 1 });
    expect(() => web.check(new URL('https://example.org/x'))).toThrow('MOORING_BATCH_INPUT_HOSTS');
    expect(() => web.check(new URL('https://u:p@data.example.org/x'))).toThrow('user or a password');
  });

  it('is not fetched from a listed name that leads to this machine', async () => {
    // Every resolver knows it for this machine, and it is not the one name that stands for it.
    const { port } = await serve((_request, response) => response.end('x'));
    const url = `http://a.localhost:${port}/x`;
    await expect(fetched(url)).rejects.toMatchObject({ reason: 'INPUT_NOT_FETCHED' });
  });

  it.each([
    ['https://h/a/b.csv.gz', 'b.csv.gz'],
    ['https://h/', 'input'],
    ['https://h/a%2F..%2Fb', 'a_.._b'],
    ['https://h/.hidden', 'hidden'],
    [`https://h/${'x'.repeat(300)}.csv`, `${'x'.repeat(96)}.csv`],
  ])('has a plain name: %s', (url, name) => {
    expect(fileNameOf(new URL(url))).toBe(name);
  });

  it('is not asked for once the query of its address is gone', async () => {
    await expect(fetched('http://data.example.org/x?...')).rejects.toThrow('submit it again');
  });
});
