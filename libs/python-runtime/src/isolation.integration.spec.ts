import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, fixture } from '@mooring/testing';
import { describe, expect, it } from 'vitest';
import { ask, jsonOf, scoreCall, scriptInstance, useRuntimes } from './testing.ts';

const { folder, running } = useRuntimes(fixture('slow-and-bad/scripts'));

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Throws until both are there. */
function pidsIn(text: string): number[] {
  const match = /pids (\d+) (\d+)/.exec(text);
  if (match === null) throw new Error('it has not said its process ids');
  return match.slice(1).map(Number);
}

describe('what happens to one', () => {
  it('leaves the other workers of its deployment alone', async () => {
    const { runtime } = await running('hang_in_run.py', { workerCount: 2 });
    const hanging = ask(runtime, { busy: true }, { deadlineMs: 1_500 });
    const quick = await Promise.all(Array.from({ length: 50 }, async () => ask(runtime, { seconds: 0.001 })));
    expect(quick.map((answer) => answer.status)).toEqual(quick.map(() => 200));
    expect(await hanging).toMatchObject({ errorReason: 'SCORING_TIMEOUT' });
  });

  it('leaves other deployments alone, whatever theirs does', async () => {
    const { runtime: good } = await running('ok.py');
    const bad = await Promise.all([
      running('exit_process.py'),
      running('print_a_lot.py'),
      running('hang_in_run.py'),
      running('raise_in_run.py'),
      running('huge_output.py', { settings: { maxResponseBytes: 1024 } }),
    ]);
    const deadlineMs = 2_000;
    const faults = Promise.all(bad.map(async ({ runtime }) => ask(runtime, { fail: true, mib: 64 }, { deadlineMs })));
    let answered = 0;
    let done = false;
    void faults.finally(() => (done = true));
    while (!done || answered < 100) {
      expect(jsonOf(await ask(good, { data: [answered] }))).toEqual({ sum: answered, n: 1 });
      answered += 1;
    }
    expect((await faults).map((answer) => answer.errorReason)).toEqual([
      'WORKER_EXITED',
      '',
      'SCORING_TIMEOUT',
      'RUN_FAILED',
      'RESPONSE_TOO_LARGE',
    ]);
  });

  it('ends with its scorer, children and all, even while native code holds the interpreter', async () => {
    const code = folder();
    writeFileSync(
      join(code, 'score.py'),
      `import ctypes, os, subprocess, sys
def init(): pass
def run(data):
    child = subprocess.Popen(["sleep", "600"])
    print("pids", os.getpid(), child.pid, flush=True)
    ctypes.PyDLL(None).sleep(600)
`,
    );
    const here = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
    const scorer = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `const { createPythonRuntime } = await import(${here('./python-runtime.ts')});
         const spec = ${JSON.stringify(scriptInstance(code, 'score.py', folder()))};
         const call = ${JSON.stringify(scoreCall(''))};
         const log = { info() {}, warn() {}, error() {} };
         const runtime = createPythonRuntime(spec, log);
         await runtime.start();
         await runtime.score({ ...call, body: Buffer.alloc(0) }, new AbortController().signal);`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let text = '';
    scorer.stdout.on('data', (bytes) => (text += String(bytes)));
    const pids = await eventually(() => pidsIn(text), { timeoutMs: 10_000 });
    expect(pids.map(alive)).toEqual([true, true]);
    scorer.kill('SIGKILL');
    await eventually(() => expect(pids.map(alive)).toEqual([false, false]));
  });
});
