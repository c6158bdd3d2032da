import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pino } from 'pino';
import { connectNats, type Bucket, type Nats } from '@mooring/messaging';
import { isAlive } from '@mooring/runtime';
import { superviseChild, type SupervisedChild } from './child.ts';
import { superviseNats, type SupervisedNats } from './supervised-nats.ts';

const folder = mkdtempSync(join(tmpdir(), 'supervised-'));
const log = pino({ enabled: false });
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A process that says that it serves, with its own pid as a fact, and then waits. */
function supervised(name: string, script: string): { child: SupervisedChild; served: number[] } {
  const served: number[] = [];
  const child = superviseChild({
    name,
    program: process.execPath,
    args: [
      '-e',
      `${script}; process.send({ type: 'ready', facts: { pid: String(process.pid) } }); setInterval(() => {}, 1e3)`,
    ],
    environment: () => ({ PATH: process.env['PATH'] }),
    logsDir: folder,
    log,
    onReady: (facts) => void served.push(Number(facts['pid'])),
  });
  return { child, served };
}

describe('a supervised process', () => {
  it('is started again when it is killed, keeps its log, and ends when it is told to', async () => {
    const { child, served } = supervised('plain', "console.log('hello')");
    await expect.poll(() => served.length, { timeout: 10_000 }).toBe(1);
    process.kill(served[0] ?? 0, 'SIGKILL');
    await expect.poll(() => served.length, { timeout: 10_000 }).toBe(2);
    expect(served[1]).not.toBe(served[0]);
    const identity = child.identities()[0];
    await child.stop(5_000);
    expect(identity !== undefined && isAlive(identity)).toBe(false);
    expect(readFileSync(join(folder, 'plain.log'), 'utf8')).toBe('hello\nhello\n');
  });

  it('is killed when it does not listen to SIGTERM in time', async () => {
    const { child, served } = supervised('deaf', "process.on('SIGTERM', () => {})");
    await expect.poll(() => served.length, { timeout: 10_000 }).toBe(1);
    const identity = child.identities()[0];
    await child.stop(100);
    expect(identity !== undefined && isAlive(identity)).toBe(false);
  });

  it('is not hammered when it ends at once, and stopping ends the waiting too', async () => {
    const { child, served } = supervised('crashing', 'process.exit(3)');
    await new Promise<void>((resolve) => {
      const wait = setInterval(() => {
        if (child.identities()[0] !== undefined) return;
        clearInterval(wait);
        resolve();
      }, 10);
    });
    await child.stop(100);
    expect(served).toEqual([]);
    expect(child.identities()[0]).toBeUndefined();
  });
});

describe('the supervised nats-server', () => {
  const account = { user: 'mooring', password: 'secret' };
  let restarts = 0;
  let server: SupervisedNats;
  let nats: Nats;
  let bucket: Bucket<number>;

  beforeAll(async () => {
    const onRestart = (): void => void (restarts += 1);
    server = await superviseNats({ dataDir: join(folder, 'nats'), ...account, log, onRestart });
    nats = await connectNats({ url: server.url, ...account, name: 'spec' }, log);
    bucket = await nats.bucket<number>('mooring_kept');
    await bucket.put('k', 7);
  });
  afterAll(async () => {
    await nats.close();
    await server.stop();
  });

  const kept = () => bucket.get('k').then((entry) => entry?.value, String);

  it('comes back on the same port with what was stored when it is killed', async () => {
    process.kill(server.identity()?.pid ?? 0, 'SIGKILL');
    await expect.poll(() => restarts, { timeout: 15_000 }).toBe(1);
    await expect.poll(kept, { timeout: 15_000 }).toBe(7);
  });

  it('is started again when it says that it could not write, as after a full disk', async () => {
    const failure = '[ERR] Filestore [KV_mooring_kept] Critical write error: write 1.blk: no space left on device';
    appendFileSync(join(folder, 'nats', 'nats.log'), `${failure}\n`);
    await expect.poll(() => restarts, { timeout: 15_000 }).toBe(2);
    await expect.poll(kept, { timeout: 15_000 }).toBe(7);
  });
});
