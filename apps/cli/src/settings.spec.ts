import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dataFolder } from '@mooring/config';
import { tempDir } from '@mooring/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { managementAccess, readSettings } from './settings.ts';
import { isRunning, readSupervisorRecord } from './shared/supervisor-record.ts';

let root: ReturnType<typeof tempDir>;
beforeEach(() => {
  root = tempDir();
  const folder = dataFolder(root.path);
  mkdirSync(folder.run, { recursive: true });
  mkdirSync(folder.secrets, { recursive: true });
  writeFileSync(folder.adminTokenFile, 'secret\n');
});
afterEach(() => root.remove());

const record = (text: string): void => writeFileSync(dataFolder(root.path).supervisorFile, text);
const running = { pid: process.pid, startTicks: 0, http: 'h', grpc: 'g', management: 'http://127.0.0.1:1' };
const settings = (environment: Record<string, string> = {}, url?: string) =>
  readSettings({ data: undefined, url }, { MOORING_DATA: root.path, ...environment });

describe('managementAccess', () => {
  it('finds the platform of the data folder, and its credential', () => {
    record(JSON.stringify(running));
    expect(managementAccess(settings())).toEqual({ url: running.management, token: 'secret' });
  });

  it('lets a flag win over MOORING_URL, and that over the data folder', () => {
    record(JSON.stringify(running));
    const environment = { MOORING_URL: 'http://127.0.0.1:2', MOORING_TOKEN: 'other' };
    expect(managementAccess(settings(environment))).toEqual({ url: 'http://127.0.0.1:2', token: 'other' });
    expect(managementAccess(settings(environment, 'http://127.0.0.1:3')).url).toBe('http://127.0.0.1:3');
  });

  it.each([
    'http://10.0.0.1:8082',
    'https://mooring.example',
    'http://127.0.0.1.example',
    'http://127.0.0.1:2',
    'http://localhost:1',
    'https://127.0.0.1:1',
    'http://127.0.0.1:1@127.0.0.1:2',
  ])('does not send the credential of the data folder to %s, where another may listen', (url) => {
    record(JSON.stringify(running));
    expect(() => managementAccess(settings({}, url))).toThrow(/is not sent to .* set MOORING_TOKEN/);
    expect(managementAccess(settings({ MOORING_TOKEN: 'own' }, url))).toEqual({ url, token: 'own' });
  });

  it('does not send it to where a platform was that runs no more: somebody else may listen there now', () => {
    record(JSON.stringify({ ...running, startTicks: 1 }));
    expect(() => managementAccess(settings())).toThrow(/no platform runs on/);
    expect(() => managementAccess(settings({}, running.management))).toThrow(/is not sent to/);
  });

  it.each(['abc', 'ftp://127.0.0.1', '127.0.0.1:8082', 'http://'])('refuses the address %s', (MOORING_URL) => {
    expect(() => settings({ MOORING_URL })).toThrow(`MOORING_URL: '${MOORING_URL}' is not an http(s) address such as`);
  });

  it('says when no platform runs', () => {
    expect(() => managementAccess(settings())).toThrow(/no platform runs on/);
  });

  it('says which file of the credential it cannot read', () => {
    record(JSON.stringify(running));
    const { adminTokenFile } = dataFolder(root.path);
    rmSync(adminTokenFile);
    expect(() => managementAccess(settings())).toThrow(adminTokenFile);
  });
});

describe('the supervisor’s record', () => {
  it.each(['', '{', 'null', '[]', '{}', '{"pid": "1"}', '{"pid": 0}', '{"pid": 1}', '{"pid": -5}', '{"pid": 1.5}'])(
    'is none when the file holds %s',
    (text) => {
      record(text);
      expect(readSupervisorRecord(dataFolder(root.path))).toBeUndefined();
    },
  );

  it('is running only while that very process lives', () => {
    expect(isRunning({ pid: process.pid, startTicks: 0 })).toBe(true);
    expect(isRunning({ pid: process.pid, startTicks: 1 })).toBe(false);
    expect(isRunning({ pid: 2 ** 22 + 1, startTicks: 0 })).toBe(false);
  });
});
