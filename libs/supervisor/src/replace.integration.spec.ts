import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { pino } from 'pino';
import { superviseChild, type SupervisedChild } from './child.ts';
import { bindSocket } from './listening-sockets.ts';

const folder = mkdtempSync(join(tmpdir(), 'replaced-'));
const log = pino({ enabled: false });
const children: SupervisedChild[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(children.splice(0).map((child) => child.stop(2_000)));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Served {
  child: SupervisedChild;
  port: number;
  pids: number[];
  /** Settings of the next process. */
  next: Record<string, string>;
  /** Processes that were seen to end. */
  ended(): number;
}

/** A process that answers each line with its pid. */
async function served(): Promise<Served> {
  const { address, handle } = await bindSocket('127.0.0.1:0');
  const pids: number[] = [];
  const next: Record<string, string> = {};
  let ended = 0;
  const child = superviseChild({
    name: 'pids',
    program: process.execPath,
    args: [fileURLToPath(new URL('./testing/pid-server.ts', import.meta.url))],
    environment: () => ({ PATH: process.env['PATH'], MOORING_LOG_LEVEL: 'silent', ...next }),
    handles: () => [handle],
    logsDir: folder,
    log,
    onReady: (facts) => void pids.push(Number(facts['pid'])),
    onChange: () => void (ended += 1),
  });
  children.push(child);
  await expect.poll(() => pids.length, { timeout: 10_000 }).toBe(1);
  return { child, port: Number(address.split(':')[1]), pids, next, ended: () => ended };
}

function connect(port: number): Socket {
  const socket = createConnection(port, '127.0.0.1');
  sockets.push(socket);
  return socket;
}

/** The pid that answers on this connection. */
async function ask(socket: Socket): Promise<number> {
  const gone = new AbortController();
  socket.write('who?\n');
  try {
    const [data] = (await Promise.race([
      once(socket, 'data', { signal: gone.signal }),
      once(socket, 'close', { signal: gone.signal }).then(() => Promise.reject(new Error('closed without an answer'))),
    ])) as [Buffer];
    return Number(data.toString());
  } finally {
    gone.abort();
  }
}

describe('a process that is replaced', () => {
  it('hands its idle connections over: what is sent on them meanwhile is answered by the next one', async () => {
    const { child, port, pids } = await served();
    const idle = connect(port);
    expect(await ask(idle)).toBe(pids[0]);
    const replaced = child.replace(() => undefined);
    // All the time, also in the moment of the hand-over.
    const answers = new Set<number>();
    let done = false;
    void replaced.finally(() => (done = true));
    while (!done) answers.add(await ask(idle));
    expect((await replaced).oldPid).toBe(pids[0]);
    answers.add(await ask(idle));
    expect([...answers]).toEqual(pids);
    expect(child.identities().map(({ pid }) => pid)).toEqual([pids[1]]);
  });

  it('refuses nobody who connects meanwhile', async () => {
    const { child, port, pids } = await served();
    const replaced = child.replace(() => undefined);
    let done = false;
    void replaced.finally(() => (done = true));
    const seen = new Set<number>();
    while (!done) seen.add(await ask(connect(port)));
    expect(seen.has(pids[0] ?? 0)).toBe(true);
    expect(await ask(connect(port))).toBe(pids[1]);
  });

  it('lets those wait that connect while it is started again after a kill', async () => {
    const { port, pids } = await served();
    process.kill(pids[0] ?? 0, 'SIGKILL');
    await expect.poll(() => children[0]?.identities()).toEqual([]);
    expect(await ask(connect(port))).not.toBe(pids[0]);
  });

  it('serves on when the one that should replace it does not come up, and the reason is told', async () => {
    const { child, port, pids, next } = await served();
    next['FAIL_AT_START'] = '1';
    await expect(child.replace(() => undefined)).rejects.toThrow(/the new pids did not come up: ended with status 1/);
    delete next['FAIL_AT_START'];
    expect(await ask(connect(port))).toSatisfy((pid: number) => pid === pids[0] || pid === pids.at(-1));
    await expect.poll(() => child.identities().length, { timeout: 10_000 }).toBe(1);
    expect((await child.replace(() => undefined)).pid).toBe(await ask(connect(port)));
  });

  it('is replaced by one request at a time', async () => {
    const { child } = await served();
    const first = child.replace(() => undefined);
    await expect(child.replace(() => undefined)).rejects.toThrow('is being replaced already');
    await first;
  });

  it('is one process, too, when the one before it was just about to be started again after a crash', async () => {
    const { child, port, pids, ended } = await served();
    process.kill(pids[0] ?? 0, 'SIGKILL');
    await expect.poll(ended, { interval: 10 }).toBe(1);
    const { pid } = await child.replace(() => undefined);
    // Longer than the pause before the start that was due.
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(child.identities().map((one) => one.pid)).toEqual([pid]);
    expect([pids.length, await ask(connect(port))]).toEqual([2, pid]);
  });

  it('is first let come up when it is just being started again', async () => {
    const { child, port, pids, next, ended } = await served();
    next['SLOW_START_MS'] = '1000';
    process.kill(pids[0] ?? 0, 'SIGKILL');
    await expect.poll(ended, { interval: 10 }).toBe(1);
    await expect.poll(() => child.identities().length, { interval: 10 }).toBe(1);
    delete next['SLOW_START_MS'];
    const { pid } = await child.replace(() => undefined);
    expect([await ask(connect(port)), child.identities().length]).toEqual([pid, 1]);
  });

  it('is not replaced once it was told to stop: nothing would end the next one', async () => {
    const { child } = await served();
    await child.stop(2_000);
    await expect(child.replace(() => undefined)).rejects.toThrow('pids is being stopped');
    expect(child.identities()).toEqual([]);
  });
});
