import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dataFolder, type DataFolder } from '@mooring/config';
import { identify, isAlive } from '@mooring/runtime';
import { claim, makeDataFolder, natsAccount, readRecord, takeOver, writeRecord } from './data-folder.ts';
import { processesOf, topologyNames } from './topology.ts';

let root: string;
let folder: DataFolder;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'supervisor-'));
  folder = dataFolder(root);
  makeDataFolder(folder);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('the data folder', () => {
  it('and its secrets are for the owner only', () => {
    const account = natsAccount(folder);
    expect(statSync(folder.root).mode & 0o077).toBe(0);
    expect(statSync(join(folder.secrets, 'nats.json')).mode & 0o777).toBe(0o600);
    expect(natsAccount(folder)).toEqual(account);
    expect(account.password.length).toBeGreaterThanOrEqual(32);
  });

  it('lets one platform run on it, and says how to stop that one', async () => {
    claim(folder);
    expect(() => claim(folder)).toThrow('another platform is just starting');
    await expect(takeOver(folder)).rejects.toThrow('tools/mooring down');
  });

  it('is taken over from a supervisor that was killed, whose children are ended', async () => {
    const orphan = spawn('sleep', ['60'], { stdio: 'ignore' });
    const identity = identify(orphan.pid ?? 0);
    if (identity === undefined) throw new Error('the orphan did not start');
    const dead = { pid: process.pid, startTicks: 1, http: '', grpc: '', management: '' };
    writeRecord(folder, { ...dead, children: [{ name: 'edge', ...identity }] });
    await takeOver(folder);
    expect(isAlive(identity)).toBe(false);
    expect(readRecord(folder)).toBeUndefined();
  });
});

describe('a topology', () => {
  it.each(topologyNames)('%s runs every service exactly once', (name) => {
    const targets = processesOf(name).flatMap((plan) => plan.targets);
    expect(targets.toSorted()).toEqual([
      'auth',
      'batch-scheduler',
      'controller',
      'gateway',
      'management',
      'registry',
      'router',
      'worker',
    ]);
  });
});
