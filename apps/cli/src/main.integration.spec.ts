import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { tempDir } from '@mooring/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from './shared/repository.ts';

const folder = tempDir();
afterAll(() => folder.remove());

interface Ended {
  code: number | null;
  out: string;
  err: string;
  ms: number;
}

const upAnywhere = ['up', ...['--http', '--grpc', '--management'].flatMap((flag) => [flag, '127.0.0.1:0'])];

/** A real process, started as a user starts it. */
function mooring(argv: readonly string[], stopAfterBytes = Infinity): Promise<Ended> {
  const startedAt = performance.now();
  const child = spawn(join(repositoryRoot, 'tools/mooring'), argv, {
    env: { ...process.env, MOORING_DATA: join(folder.path, 'data') },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 30_000,
  });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    if (out.length >= stopAfterBytes) child.stdout.destroy();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err, ms: performance.now() - startedAt }));
  });
}

describe('the mooring process', () => {
  it.each([
    [['frobnicate'], 2],
    [['online-endpoint', 'create', '-f', '/nowhere.yml'], 3],
    [['online-endpoint', 'create', '--bogus'], 2],
    [['online-endpoint', 'create', '-f', '/dev/zero'], 2],
    [['online-endpoint', 'show', '-n', '../..'], 2],
    [['online-endpoint', 'list', '--query', '['], 2],
    [['online-endpoint', 'list'], 6],
    [['online-endpoint', 'list', '--url', 'http://127.0.0.1:1'], 4],
    [['online-deployment', 'get-logs', '-n', 'luca', '-e', 'cars', '-l', '100001'], 2],
    [['online-endpoint', 'delete', '-n', 'cars'], 2],
    [['up', '--http', 'nowhere'], 2],
    [[...upAnywhere, '--data', '/proc/x'], 2],
    [[...upAnywhere, '--data', '/dev/null'], 2],
    [['serverless-endpoint', 'create', '-f', 'x.yml'], 1],
    [['job', 'show', '-n', 'night-1'], 6],
    [['online-endpoint', 'show', '-n', 'x'.repeat(100_000)], 2],
  ])('ends for %j with %i, a reason and a next step, and no stack', async (argv, code) => {
    const ended = await mooring(argv);
    expect(ended).toMatchObject({ code, out: '' });
    expect(ended.err).toMatch(/^[A-Z_]+: .*\n(.*\n)*Next: .*\n$/);
    expect(ended.err).not.toMatch(/\n\s+at |node:internal|Warning/);
  });

  it('shows its help in less than half a second, warm', async () => {
    await mooring(['--help']);
    const times: number[] = [];
    for (let run = 0; run < 5; run += 1) {
      const { code, out, err, ms } = await mooring(['--help']);
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out).toContain('online-endpoint');
      times.push(ms);
    }
    // The quickest: others may use the machine meanwhile.
    expect(Math.min(...times)).toBeLessThan(500);
  });

  it('ends well when what reads its output goes away', async () => {
    const { code, err } = await mooring(['completion', 'bash'], 1);
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });

  it('says that nothing runs when there is nothing to stop', async () => {
    const { code, err } = await mooring(['down']);
    expect(code).toBe(0);
    expect(err).toBe(`no platform runs on ${join(folder.path, 'data')}\n`);
  });
});
