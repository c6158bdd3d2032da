import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Timing } from '@mooring/contracts/scoring';
import { fixture } from '@mooring/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ask, header, jsonOf, useRuntimes } from './testing.ts';

const scripts = fixture('slow-and-bad/scripts');
const { folder, prepare, running, runningText } = useRuntimes(scripts);

describe('a scoring script that works', () => {
  it('answers with what run returns, and times that add up', async () => {
    const { runtime } = await running('ok.py');
    const answer = await ask(runtime, { data: [1, 2, 3.5] });
    expect(answer).toMatchObject({ status: 200, errorCode: '', contentType: 'application/json', started: true });
    expect(jsonOf(answer)).toEqual({ sum: 6.5, n: 3 });
    expect(header(answer, 'x-ms-run-function-failed')).toBe('False');
    expect(header(answer, 'x-ms-run-fn-exec-ms')).toMatch(/^\d+\.\d{3}$/);
    const { totalUs, queueUs, batchWaitUs, preprocessUs, computeUs, postprocessUs } = answer.timing as Timing;
    expect(queueUs + batchWaitUs + preprocessUs + computeUs + postprocessUs).toBe(totalUs);
    expect(totalUs).toBeGreaterThan(0);
  });

  it('gives each of 1,000 pipelined calls its own answer', async () => {
    const { runtime } = await running('ok.py', { workerCount: 2 });
    const answers = await Promise.all(Array.from({ length: 1000 }, (_, i) => ask(runtime, { data: [i, 1] })));
    expect(answers.map(jsonOf)).toEqual(Array.from({ length: 1000 }, (_, i) => ({ sum: i + 1, n: 2 })));
  });

  it('runs WORKER_COUNT calls at the same time', async () => {
    const text = `
import json, os, time
def init(): pass
def run(data):
    mine, other = json.loads(data)
    open(mine, "w").close()
    until = time.monotonic() + 20
    while not os.path.exists(other) and time.monotonic() < until: time.sleep(0.005)
    return {"pid": os.getpid(), "met": os.path.exists(other), "count": os.environ["WORKER_COUNT"]}
`;
    const { runtime, dir } = await runningText(text, { workerCount: 2 });
    const [a, b] = [join(dir, 'a'), join(dir, 'b')];
    const answers = (await Promise.all([ask(runtime, [a, b]), ask(runtime, [b, a])])).map(jsonOf) as {
      pid: number;
      met: boolean;
      count: string;
    }[];
    expect(answers.map((answer) => answer.met)).toEqual([true, true]);
    expect(new Set(answers.map((answer) => answer.pid)).size).toBe(2);
    expect(answers[0]?.count).toBe('2');
  });

  it('is not ready before init has returned', async () => {
    const { runtime } = prepare('slow_init.py', { environmentVariables: { FIXTURE_INIT_SECONDS: '0.5' } });
    const started = runtime.start();
    expect(runtime.ready()).toBe(false);
    expect(await ask(runtime, {})).toMatchObject({
      errorCode: 'unavailable',
      errorReason: 'MODEL_NOT_READY',
      started: false,
    });
    await started;
    expect(runtime.ready()).toBe(true);
    expect(jsonOf(await ask(runtime, {}))).toEqual({ ok: true });
  });

  it('finishes what is open before it stops, and refuses what comes later', async () => {
    const { runtime } = await running('hang_in_run.py');
    const open = ask(runtime, { seconds: 0.3 });
    const stopped = runtime.stop(AbortSignal.timeout(10_000));
    expect(await ask(runtime, { seconds: 0 })).toMatchObject({ errorReason: 'INSTANCE_STOPPING', started: false });
    expect(jsonOf(await open)).toEqual({ slept: 0.3 });
    await stopped;
    expect(runtime.ready()).toBe(false);
  });
});

describe('what a script sees', () => {
  it("has Azure's variables and the user's, and none of the platform's", async () => {
    process.env['MOORING_NATS_PASSWORD'] = 'secret-of-the-platform';
    onTestFinished(() => void delete process.env['MOORING_NATS_PASSWORD']);
    const { runtime, dir } = await running('read_env_and_files.py', {
      environmentVariables: { MINE: 'yes' },
      modelDir: '/srv/models',
    });
    const seen = jsonOf(await ask(runtime, {})) as { env: string[]; cwd: string };
    expect(seen.env).toEqual(
      expect.arrayContaining([
        'MINE',
        'AZUREML_MODEL_DIR',
        'AML_APP_ROOT',
        'AZUREML_ENTRY_SCRIPT',
        'AZUREML_SOURCE_DIRECTORY',
        'WORKER_COUNT',
        'SERVICE_NAME',
        'HOME',
        'TMPDIR',
      ]),
    );
    expect(seen.env.filter((name) => /^(MOORING|NATS|NODE|npm|VITEST)/i.test(name))).toEqual([]);
    expect(seen.cwd).toBe(scripts);
    expect(dir).not.toBe('');
  });

  it('imports modules beside the script and below the code folder', async () => {
    const dir = { path: folder() };
    mkdirSync(join(dir.path, 'src'));
    writeFileSync(join(dir.path, 'common.py'), 'X = 1\n');
    writeFileSync(join(dir.path, 'src', 'frames.py'), 'Y = 2\n');
    writeFileSync(
      join(dir.path, 'src', 'score.py'),
      'import common, frames\ndef init(): pass\ndef run(d): return [common.X, frames.Y]\n',
    );
    const { runtime } = await running('src/score.py', {}, {}, dir.path);
    expect(jsonOf(await ask(runtime, ''))).toEqual([1, 2]);
  });
});
