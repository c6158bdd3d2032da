import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '@mooring/testing';
import { openAccessLog } from './access-log.ts';

let folder: string;
const log = pino({ enabled: false });
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'access-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('openAccessLog', () => {
  it('writes one JSON line a request, in order, readable by its owner only', async () => {
    const file = join(folder, 'access.log');
    const accessLog = openAccessLog(file, log);
    for (let n = 0; n < 5_000; n += 1) accessLog.write({ n, text: 'line\nbreak' });
    await accessLog.close();
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { n: number }).n)).toEqual(
      Array.from({ length: 5_000 }, (_unused, n) => n),
    );
    expect(statSync(file).mode & 0o077).toBe(0);
  });

  it('appends to what is there', async () => {
    const file = join(folder, 'access.log');
    for (const n of [1, 2]) {
      const accessLog = openAccessLog(file, log);
      accessLog.write({ n });
      await accessLog.close();
    }
    expect(readFileSync(file, 'utf8')).toBe('{"n":1}\n{"n":2}\n');
  });

  it('drops lines rather than grow without bound, and says how many', async () => {
    const file = join(folder, 'access.log');
    const accessLog = openAccessLog(file, log);
    const text = 'x'.repeat(1_000_000);
    for (let n = 0; n < 60; n += 1) accessLog.write({ n, text });
    const written = (): string => readFileSync(file, 'utf8');
    await eventually(() => {
      accessLog.write({ probe: true });
      expect(written()).toContain('"dropped"');
    });
    await accessLog.close();
    const dropped = Number(/"dropped":(\d+)/.exec(readFileSync(file, 'utf8'))?.[1]);
    expect(dropped).toBeGreaterThan(30);
  });

  it('lets requests go on when the file cannot be written', async () => {
    const accessLog = openAccessLog(join(folder, 'nowhere', 'access.log'), log);
    accessLog.write({ n: 1 });
    await accessLog.close();
  });

  it('writes nothing when it is off', async () => {
    const accessLog = openAccessLog('off', log);
    accessLog.write({ n: 1 });
    await accessLog.close();
  });
});
