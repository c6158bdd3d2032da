import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { expect, it } from 'vitest';

it('a log that cannot be written, as on a full disk, ends no process', async () => {
  const module = new URL('stderr-log.ts', import.meta.url).href;
  const script = `
    const log = (await import(${JSON.stringify(module)})).stderrLog({});
    for (let line = 0; line < 100; line += 1) {
      log.info({ line }, 'nobody reads this');
      await new Promise(setImmediate);
    }
    process.stdout.write('goes on');`;
  const full = openSync('/dev/full', 'w');
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', full] });
  closeSync(full);
  let said = '';
  child.stdout?.on('data', (text: Buffer) => (said += text.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  expect([said, code]).toEqual(['goes on', 0]);
});
