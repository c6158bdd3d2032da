import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataFolder, type DataFolder } from '@mooring/config';
import { endProcess, identify, isAlive, type ProcessIdentity } from '@mooring/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cleanUp } from './clean-up.ts';
import { makeDataFolder, readRecord, writeRecord } from './data-folder.ts';

let folder: DataFolder;
const started: ProcessIdentity[] = [];

beforeEach(() => {
  folder = dataFolder(mkdtempSync(join(tmpdir(), 'clean-up-')));
  makeDataFolder(folder);
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((identity) => endProcess(identity, 0)));
  rmSync(folder.root, { recursive: true, force: true });
});

function start(program: string, ...args: string[]): ProcessIdentity {
  const identity = identify(spawn(program, args, { stdio: 'ignore' }).pid ?? 0);
  if (identity === undefined) throw new Error(`${program} did not start`);
  started.push(identity);
  return identity;
}

function writeInstance(id: string, text: string): void {
  mkdirSync(join(folder.instances, id));
  writeFileSync(join(folder.instances, id, 'instance.json'), text);
}

const addresses = { http: '', grpc: '', management: '' };
const killed = { pid: process.pid, startTicks: 1, ...addresses };

describe('cleanUp', () => {
  it('ends callers first, then the control plane, its instances, and NATS last, and says so', async () => {
    const [control, edge, nats, scorer] = [1, 2, 3, 4].map(() => start('sleep', '60'));
    if (!control || !edge || !nats || !scorer) throw new Error('not started');
    const named = { control, edge, nats };
    const children = Object.entries(named).map(([name, identity]) => ({ name, ...identity }));
    writeRecord(folder, { ...killed, children });
    writeInstance('one', JSON.stringify({ ...scorer, endpoint: 'cars', deployment: 'luca' }));
    const ended = await cleanUp(folder);
    expect(ended.map(({ name }) => name)).toEqual(['edge', 'control', 'cars/luca', 'nats']);
    expect([control, edge, nats, scorer].filter(isAlive)).toEqual([]);
    expect(readRecord(folder)).toBeUndefined();
  });

  it('kills what does not obey within the grace', async () => {
    const up = join(folder.root, 'up');
    const deaf = start('sh', '-c', `trap "" TERM; : >${up}; while :; do sleep 0.1; done`);
    await expect.poll(() => existsSync(up)).toBe(true);
    const startedAt = Date.now();
    writeRecord(folder, { ...killed, children: [{ name: 'edge', ...deaf }] });
    await cleanUp(folder, 200);
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(200);
    expect(isAlive(deaf)).toBe(false);
  });

  it('leaves alone a process that got the number of one that is gone, and files that are none', async () => {
    const other = start('sleep', '60');
    writeRecord(folder, { ...killed, children: [{ name: 'edge', pid: other.pid, startTicks: other.startTicks + 1 }] });
    writeInstance('one', JSON.stringify({ pid: other.pid, endpoint: 'cars', deployment: 'luca' }));
    for (const [index, text] of ['', '{', 'null', '[]', '{"pid": "1"}'].entries()) writeInstance(`bad-${index}`, text);
    expect(await cleanUp(folder)).toEqual([]);
    expect(isAlive(other)).toBe(true);
  });

  it('touches nothing while the supervisor lives', async () => {
    const child = start('sleep', '60');
    const self = identify(process.pid) ?? { pid: 0, startTicks: 0 };
    writeRecord(folder, { ...self, ...addresses, children: [{ name: 'edge', ...child }] });
    expect(await cleanUp(folder)).toEqual([]);
    expect(isAlive(child)).toBe(true);
  });
});
