import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'vitest';

const runMain = new URL('./run-main.ts', import.meta.url).href;

/** A process whose only module starts as `start` says, which is code. */
async function startProcess(start: string, environment: NodeJS.ProcessEnv = {}) {
  const code = `
    const { runMain } = await import('${runMain}');
    const slow = { name: 'slow', needs: {}, create: () => ({ start: async () => { ${start} } }) };
    const waits = setInterval(() => {}, 60_000);
    await runMain({ slow }, { target: 'all' });
    clearInterval(waits);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...environment },
  });
  if (child.stdout !== null && start !== '') await once(child.stdout, 'data');
  return child;
}

const begins = `process.stdout.write('starting');`;

describe.concurrent('a process that is asked to stop while it starts', () => {
  it.for(['SIGTERM', 'SIGINT'] as const)(
    'ends on %s though what it waits for never comes',
    async (signal, { expect }) => {
      const child = await startProcess(`${begins} await new Promise(() => {});`);
      child.kill(signal);
      expect(await once(child, 'exit')).toEqual([1, null]);
    },
  );

  it('ends when its supervisor is gone', async ({ expect }) => {
    const child = await startProcess(`${begins} await new Promise(() => {});`);
    child.disconnect();
    expect(await once(child, 'exit')).toEqual([1, null]);
  });

  it('stops in good order when the start still comes to its end', async ({ expect }) => {
    const child = await startProcess(`${begins} await new Promise((done) => setTimeout(done, 200));`);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});

describe.concurrent('a process whose settings are wrong', () => {
  it('says which log levels there are, and exits with 2', async ({ expect }) => {
    const child = await startProcess('', { MOORING_LOG_LEVEL: 'loud' });
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    expect(await once(child, 'close')).toEqual([2, null]);
    expect(stderr).toContain("MOORING_LOG_LEVEL: there is no level 'loud'; there are: trace, debug, info");
  });

  it('takes an empty log level as none', async ({ expect }) => {
    const child = await startProcess(begins, { MOORING_LOG_LEVEL: '' });
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
