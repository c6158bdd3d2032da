import { eventually, fixture } from '@mooring/testing';
import { describe, expect, it } from 'vitest';
import { ask, jsonOf, useRuntimes } from './testing.ts';

const scripts = fixture('slow-and-bad/scripts');
const { running, runningText } = useRuntimes(scripts);

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('a worker that goes away', () => {
  it.each([
    { how: 'exit', code: 3, message: 'exited 3' },
    { how: 'signal', code: 0, message: 'SIGKILL' },
    { how: 'segv', code: 0, message: 'SIGSEGV (segmentation fault' },
  ])(
    'answers 503 for the call that it had ($how), and the queued ones go to the next worker',
    async ({ how, code, message }) => {
      const { runtime } = await running('exit_process.py');
      const fatal = ask(runtime, { how, code });
      const queued = [ask(runtime, { how: 'none' }), ask(runtime, { how: 'none' })];
      expect(await fatal).toMatchObject({ errorCode: 'unavailable', errorReason: 'WORKER_EXITED', started: true });
      expect((await fatal).errorMessage).toContain(message);
      for (const answer of await Promise.all(queued)) expect(jsonOf(answer)).toMatchObject({ ok: true });
    },
  );

  it('takes sys.exit for a failure of the call', async () => {
    const { runtime } = await running('exit_process.py');
    expect(await ask(runtime, { how: 'sysexit', code: 0 })).toMatchObject({
      errorCode: 'model_failed',
      errorReason: 'RUN_FAILED',
    });
    expect(jsonOf(await ask(runtime, { how: 'none' }))).toMatchObject({ ok: true });
  });

  it('gives up after too many exits and is no longer ready', async () => {
    const { runtime } = await running('exit_process.py', {}, { exitsMax: 1 });
    await ask(runtime, { how: 'exit' });
    await eventually(() => runtime.ready());
    await ask(runtime, { how: 'exit' });
    expect(runtime.ready()).toBe(false);
    expect(await ask(runtime, { how: 'none' })).toMatchObject({ errorReason: 'SCRIPT_CRASHES', started: false });
  });

  it('is replaced when it holds more memory than its share', async () => {
    const { runtime } = await running('leak_memory.py', { settings: { memoryMib: 128 } });
    const held: number[] = [];
    for (let i = 0; i < 12; i++) held.push((jsonOf(await ask(runtime, { mib: 32 })) as { held_mib: number }).held_mib);
    expect(Math.max(...held)).toBeLessThanOrEqual(160);
    expect(held.filter((mib) => mib === 32).length).toBeGreaterThan(1);
  });

  it('takes its children and threads with it', async () => {
    const { runtime } = await running('children_and_threads.py');
    const { child } = jsonOf(await ask(runtime, '')) as { child: number };
    expect(alive(child)).toBe(true);
    await runtime.stop(AbortSignal.timeout(5_000));
    await eventually(() => expect(alive(child)).toBe(false));
  });
});

describe('a script that does what nobody expects', () => {
  const run = (body: string): string => `import ctypes, json, os, sys\ndef init(): pass\ndef run(data):\n    ${body}\n`;

  it.each([
    { what: 'closes every descriptor', body: 'os.closerange(3, 1024); return 1', says: 'exited 1' },
    { what: 'becomes another program', body: 'os.execv("/bin/true", ["true"])', says: 'exited 0' },
    {
      what: 'writes into the channel',
      body: 'os.write(200, b"x" * 99); return 1',
      says: 'broke its channel to the platform',
    },
    { what: 'aborts in native code', body: 'ctypes.CDLL(None).abort()', says: 'SIGABRT' },
  ])('is told from others and replaced: it $what', async ({ body, says }) => {
    const { runtime } = await runningText(run(`if data == "{}": return 2\n    ${body}`));
    const answer = await ask(runtime, { bad: true });
    expect(answer).toMatchObject({ errorCode: 'unavailable', errorReason: 'WORKER_EXITED', started: true });
    expect(answer.errorMessage).toContain(says);
    expect(jsonOf(await ask(runtime, {}))).toBe(2);
  });

  it('has a line in its log that says what it did to its connection', async () => {
    const { runtime, out } = await runningText(run('os.closerange(3, 1024); return 1'));
    await ask(runtime, '');
    await eventually(() => expect(out.text()).toContain('the connection to the platform is broken'));
  });

  it('has its last words in the log, a line without an end among them', async () => {
    const { runtime, out } = await runningText(run('sys.stdout.write("all is"); sys.stdout.flush(); os._exit(9)'));
    await ask(runtime, '');
    await eventually(() => out.lines().includes('all is'));
  });

  it('has one answer for one call, however many copies of itself come back from run', async () => {
    const { runtime } = await runningText(run('return {"child": os.fork() == 0}'));
    for (const _ of [1, 2, 3]) expect(jsonOf(await ask(runtime, ''))).toEqual({ child: false });
  });

  it('ends at its deadline while native code holds the interpreter', async () => {
    const { runtime } = await runningText(run('return ctypes.PyDLL(None).sleep(int(data))'));
    expect(await ask(runtime, '600', { deadlineMs: 300 })).toMatchObject({ errorCode: 'scoring_timeout' });
    expect(jsonOf(await ask(runtime, '0'))).toBe(0);
  });

  it('does not keep its instance from stopping', async () => {
    const { runtime } = await running('hang_in_run.py');
    const open = ask(runtime, { ignore_sigterm: true, busy: true });
    await eventually(() => runtime.ready());
    await runtime.stop(AbortSignal.timeout(300));
    expect(await open).toMatchObject({ errorCode: 'unavailable', errorReason: 'WORKER_EXITED' });
  });

  it('that cannot load again is told with the reason of init', async () => {
    const text = `import os\ndef init():\n    path = os.environ["HOME"] + "/marker"\n    open(path, "x").close()\ndef run(data): os._exit(3)\n`;
    const { runtime } = await runningText(text, {}, { exitsMax: 2 });
    await ask(runtime, '');
    await eventually(async () => {
      const answer = await ask(runtime, '', { deadlineMs: 1_000 });
      expect(answer).toMatchObject({ errorReason: 'SCRIPT_CRASHES', started: false });
      expect(answer.errorMessage).toContain('init() raised FileExistsError');
    });
  });

  it('with memory needs above its share from the first call on is not replaced for every call', async () => {
    const text = `import os\nheld = []\ndef init(): held.append(bytearray(os.urandom(4096)) * (96 << 8))\ndef run(data): return os.getpid()\n`;
    const { runtime } = await runningText(text, { settings: { memoryMib: 64 } });
    const pids = new Set<unknown>();
    for (let i = 0; i < 5; i++) pids.add(jsonOf(await ask(runtime, '')));
    expect(pids.size).toBe(1);
  });
});
