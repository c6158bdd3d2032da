import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dataFolder, type DataFolder } from '@mooring/config';
import { identify, isAlive } from '@mooring/runtime';
import { claim, makeDataFolder, natsAccount, readRecord, takeOver, writeRecord } from './data-folder.ts';
import { defaultEdges, processesOf, topologyNames } from './topology.ts';

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

  it.each(['/dev/null', '/dev/null/x', '/proc/x'])('is refused at once at %s, where none can be made', (path) => {
    expect(() => makeDataFolder(dataFolder(path))).toThrow(`the folder ${path} of the data folder cannot be made`);
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

  it('can have several data-plane processes that share their ports and limits, where they are apart', () => {
    const plans = processesOf('default', 3);
    expect(plans.map(({ name }) => name)).toEqual(['control', 'edge', 'edge-2', 'edge-3']);
    expect(plans.at(-1)?.environment).toMatchObject({ MOORING_ROUTER_SHARE_OF: '3', MOORING_ROUTER_ID: 'router-3' });
    expect(() => processesOf('single', 2)).toThrow('leave --edge out');
  });

  it.each([
    { cores: 1, edges: 1 },
    { cores: 7, edges: 1 },
    { cores: 16, edges: 4 },
    { cores: 128, edges: 8 },
  ])('has $edges data-plane processes on $cores cores by default', ({ cores, edges }) => {
    expect(defaultEdges(cores)).toBe(edges);
  });
});
