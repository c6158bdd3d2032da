import { statSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { bindSocket, type ListeningSocket } from './listening-sockets.ts';

const folder = mkdtempSync(join(tmpdir(), 'sockets-'));
const bound: ListeningSocket[] = [];
const bind = async (...args: Parameters<typeof bindSocket>): Promise<ListeningSocket> => {
  const socket = await bindSocket(...args);
  bound.push(socket);
  return socket;
};
afterAll(() => {
  for (const { handle } of bound) handle.close();
  rmSync(folder, { recursive: true });
});

describe('a socket that is bound for other processes', () => {
  it('has a port of its own when any will do, and says which', async () => {
    const { address } = await bind('127.0.0.1:0');
    expect(address).toMatch(/^127\.0\.0\.1:[1-9]\d+$/);
  });

  it('takes host names and IPv6 as they are written', async () => {
    expect((await bind('localhost:0')).address).toMatch(/^localhost:[1-9]\d+$/);
    expect((await bind('[::1]:0')).address).toMatch(/^\[::1\]:[1-9]\d+$/);
  });

  it('shares a port only with those that want to share it', async () => {
    const first = await bind('127.0.0.1:0', true);
    expect((await bind(first.address, true)).address).toBe(first.address);
  });

  it('can be bound again once it is closed', async () => {
    const first = await bind('127.0.0.1:0', true);
    const other = await bindSocket(first.address, true);
    other.handle.close();
    const again = other.again();
    bound.push(again);
    expect(again.address).toBe(first.address);
  });

  it('is refused a port on which another program listens, with what to do', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    await expect(bind(`127.0.0.1:${port}`)).rejects.toThrow(
      `127.0.0.1:${port} cannot be listened on (EADDRINUSE); another program listens there: stop it, or choose another port`,
    );
    await new Promise((resolve) => other.close(resolve));
  });

  it('takes the place of a socket file that a crash left, is private, and takes its file along', async () => {
    const path = join(folder, 'a.sock');
    writeFileSync(path, '');
    const socket = await bindSocket(`unix:${path}`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    socket.handle.close();
    await expect.poll(() => existsSync(path)).toBe(false);
  });
});
