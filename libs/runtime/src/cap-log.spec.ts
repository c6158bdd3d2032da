import { appendFileSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { capLog } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'cap-log-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('capLog', () => {
  it('keeps the newest bytes beside the log and lets the writer go on from the start', () => {
    const file = join(folder, 'log');
    const writer = openSync(file, 'a');
    writeSync(writer, `${'x'.repeat(90)}0123456789`);
    expect(capLog(file, 20)).toBe(true);
    expect(readFileSync(`${file}.1`, 'utf8')).toBe('xxxxxxxxxx0123456789');
    writeSync(writer, 'next');
    closeSync(writer);
    expect(readFileSync(file, 'utf8')).toBe('next');
  });

  it('leaves a small log and an absent one alone', () => {
    const file = join(folder, 'small');
    appendFileSync(file, 'abc');
    expect(capLog(file, 3)).toBe(false);
    expect(statSync(file).size).toBe(3);
    expect(capLog(join(folder, 'absent'), 3)).toBe(false);
  });
});
