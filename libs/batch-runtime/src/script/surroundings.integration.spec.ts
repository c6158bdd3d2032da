import { chmodSync, existsSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { eventually } from '@mooring/testing';
import { describe, expect, it } from 'vitest';
import { fileBatch, listed } from '../testing.ts';
import { named, useScripts } from './testing.ts';

const { folder, files, three, scripted, settings, started } = useScripts();
const base = `${named}  return [os.path.basename(p) for p in mini_batch]`;

/** Python that has the driver refused the opening of one file. */
function refusingToOpen(path: string): string {
  return `
import mooring_batch.files
class Refusing:
  def __getattr__(self, name): return getattr(os, name)
  def open(self, path, flags):
    if path == ${JSON.stringify(path)}: raise PermissionError(13, "Permission denied")
    return os.open(path, flags)
mooring_batch.files.os = Refusing()`;
}

describe('files that are not what was listed', () => {
  it('fail alone, and the others are scored', async () => {
    const inputs = files({ 'a.txt': 'A', 'gone.txt': '', 'longer.txt': 'x', 'later.txt': 'x', 'z.txt': 'Z' });
    const [, gone, longer, later] = inputs.map((file) => file.localPath) as [string, string, string, string];
    rmSync(gone);
    writeFileSync(longer, 'xy');
    utimesSync(later, 1, 1);
    const test = await started(base);
    const outcome = await test.run(fileBatch(inputs, { firstItem: 10 }));
    expect(outcome).toMatchObject({ kind: 'done', succeeded: 2, failed: 3, part: { lines: 2 } });
    expect(test.errors(outcome)).toEqual([
      { item: 11, source: 'gone.txt', reason: 'FileChanged', message: 'gone.txt is gone since it was listed', runs: 1 },
      {
        item: 12,
        source: 'longer.txt',
        reason: 'FileChanged',
        message: expect.stringMatching(/has 2 bytes and had 1/),
        runs: 1,
      },
      {
        item: 13,
        source: 'later.txt',
        reason: 'FileChanged',
        message: expect.stringMatching(/was written since/),
        runs: 1,
      },
    ]);
  });

  it('fail without a call of run() when there is no other', async () => {
    const inputs = three();
    for (const file of inputs) rmSync(file.localPath);
    const test = await started(`${named}  raise ValueError("called")`);
    expect(await test.run(fileBatch(inputs))).toMatchObject({ kind: 'done', succeeded: 0, failed: 3 });
  });

  it('fail with what the listing found of them', async () => {
    const problem = { reason: 'FileUnreadable', message: 'link is a link' };
    const linked = { path: 'link', localPath: '', bytes: 0, modifiedMs: 0, problem };
    const test = await started(base);
    const outcome = await test.run(fileBatch([...three(), linked]));
    expect(outcome).toMatchObject({ kind: 'done', succeeded: 3, failed: 1 });
    expect(test.errors(outcome)).toEqual([{ item: 3, source: 'link', runs: 1, ...problem }]);
  });

  it('fail when they are no plain files any more', async () => {
    const [a, b, c] = three() as [ReturnType<typeof listed>, ReturnType<typeof listed>, ReturnType<typeof listed>];
    rmSync(a.localPath);
    spawnSync('mkfifo', [a.localPath]);
    rmSync(b.localPath);
    symlinkSync('/dev/zero', b.localPath);
    const test = await started(base);
    const outcome = await test.run(fileBatch([a, b, { ...c, localPath: dirname(c.localPath) }]));
    expect(test.errors(outcome).map(({ reason }) => reason)).toEqual([
      'FileUnreadable',
      'FileUnreadable',
      'FileUnreadable',
    ]);
  });

  it('fail when they may not be read', async () => {
    const inputs = three();
    const first = (inputs[0] as ReturnType<typeof listed>).localPath;
    chmodSync(first, 0o000);
    // Root may read any file, so there the system call is refused by hand.
    const test = await started(process.getuid?.() === 0 ? `${base}\n${refusingToOpen(first)}` : base);
    const outcome = await test.run(fileBatch(inputs));
    expect(test.errors(outcome)).toMatchObject([{ item: 0, reason: 'FileUnreadable' }]);
  });

  it('may have any name', async () => {
    const inputs = files({
      'with space & ünïcode.csv': '',
      'UPPER.CSV': '',
      'quote\'".csv': '',
      'line\nend.csv': '',
      '-rf': '',
    });
    const test = await started(base);
    const outcome = await test.run(fileBatch(inputs));
    expect(outcome).toMatchObject({ kind: 'done', succeeded: 5, failed: 0, part: { lines: 5 } });
  });
});

describe('what a script finds', () => {
  it('is what Azure gives it', async () => {
    const modelDir = folder();
    const script = `import argparse, os
parser = argparse.ArgumentParser()
parser.add_argument("--logging_level", type=str)
args, _ = parser.parse_known_args()
count = 0
def init():
  global count
  count += 1
def run(mini_batch):
  with open(os.path.join(os.environ["AZUREML_BI_OUTPUT_PATH"], "own.txt"), "w") as own: own.write("mine")
  return [count, args.logging_level, os.environ["AZUREML_MODEL_DIR"], os.environ["COLOUR"], os.getcwd(), os.environ.get("SECRET_OF_PLATFORM")]`;
    const outputFolder = join(folder(), 'own');
    process.env['SECRET_OF_PLATFORM'] = 'x';
    const test = await started(
      script,
      { outputFolder, ...settings({ loggingLevel: 'debug' }) },
      { modelDir, environmentVariables: { COLOUR: 'red' } },
    );
    delete process.env['SECRET_OF_PLATFORM'];
    await test.run(fileBatch(three()));
    const outcome = await test.run(fileBatch(three()));
    if (outcome.kind !== 'done') throw new Error(outcome.message);
    expect(test.lines(outcome.part)).toEqual([
      '1',
      'DEBUG',
      modelDir,
      'red',
      expect.stringContaining('mooring-batch-'),
      'None',
    ]);
    expect(readFileSync(join(outputFolder, 'own.txt'), 'utf8')).toBe('mine');
  });

  it('includes the entry script of parallel runs', async () => {
    const test = await started(`from azureml_user.parallel_run import EntryScript
logger = EntryScript().logger
def init(): logger.info("loaded")
def run(mini_batch): return [EntryScript().output_dir] * 3`);
    expect(await test.run(fileBatch(three()))).toMatchObject({ kind: 'done', succeeded: 3 });
    await eventually(() => expect(test.out.text()).toMatch(/INFO loaded/));
  });

  it('calls shutdown() at the end', async () => {
    const place = join(folder(), 'ended');
    const test = await started(`${base}\ndef shutdown(): open(${JSON.stringify(place)}, "w").close()`);
    await test.runner.stop(AbortSignal.timeout(5_000));
    expect(existsSync(place)).toBe(true);
  });
});

describe('what a script prints', () => {
  it('is its log and never its result', async () => {
    const test = await started(
      `${named}  print('{"type": "done", "succeeded": 99}', flush=True)\n  os.write(1, b"raw\\xff\\n")\n  return mini_batch`,
    );
    expect(await test.run(fileBatch(three()))).toMatchObject({ kind: 'done', succeeded: 3 });
    await eventually(() => expect(test.out.text()).toContain('{"type": "done", "succeeded": 99}\nraw\\xff\n'));
  });

  it('may be a flood', async () => {
    const test = await started(`${named}  for i in range(20_000): print("line", i)\n  return mini_batch`);
    expect(await test.run(fileBatch(three()))).toMatchObject({ kind: 'done', succeeded: 3 });
  });

  it('may go nowhere', async () => {
    const test = await started(`${named}  sys.stdout.close(); os.close(1); os.close(2)\n  return mini_batch`);
    expect(await test.run(fileBatch(three()))).toMatchObject({ kind: 'done', succeeded: 3 });
    expect(await test.run(fileBatch(three()))).toMatchObject({ kind: 'done', succeeded: 3 });
  });
});

describe('processes and threads of a script', () => {
  it.each(['return ["child"]', 'sys.exit(0)', 'raise ValueError("child")'])(
    'do not answer in its place (%s)',
    async (child) => {
      const test = await started(`${named}  if os.fork() == 0: ${child}\n  os.wait()\n  return mini_batch`);
      for (let times = 0; times < 2; times += 1) {
        const outcome = await test.run(fileBatch(three()));
        if (outcome.kind !== 'done') throw new Error(outcome.message);
        expect(test.lines(outcome.part)).toHaveLength(3);
      }
    },
  );

  it('do not answer in its place, either, when it parts while it loads', async () => {
    const test = await started('import os\ndef init(): os.fork()\ndef run(mini_batch): return mini_batch');
    for (let times = 0; times < 2; times += 1) {
      expect(await test.run(fileBatch(three()))).toMatchObject({ kind: 'done', succeeded: 3 });
    }
  });

  it('end with it', async () => {
    const test = await started(
      `import subprocess, threading, time\n${named}  threading.Thread(target=time.sleep, args=(600,)).start()\n  return [subprocess.Popen(["sleep", "600"]).pid] * 3`,
    );
    const outcome = await test.run(fileBatch(three()));
    if (outcome.kind !== 'done') throw new Error(outcome.message);
    const pid = Number(test.lines(outcome.part)[0]);
    expect(() => process.kill(pid, 0)).not.toThrow();
    await test.runner.stop(AbortSignal.timeout(5_000));
    await eventually(() => expect(() => process.kill(pid, 0)).toThrow());
  });

  it('run at the lowest priority', async () => {
    const test = await started(`${named}  return [os.nice(0), os.getpid(), 0]`);
    const outcome = await test.run(fileBatch(three()));
    if (outcome.kind !== 'done') throw new Error(outcome.message);
    const [nice, pid] = test.lines(outcome.part);
    expect(nice).toBe('19');
    expect(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim()).toBe('500');
    // Else the priority counts within the process's own session only.
    const group = `/proc/${pid}/autogroup`;
    if (existsSync(group)) expect(readFileSync(group, 'utf8')).toMatch(/ nice 5$/m);
  });
});

describe('a part that cannot be written', () => {
  it('is no fault of the script', async () => {
    const test = scripted(base);
    await test.runner.start(new AbortController().signal);
    rmSync(test.parts, { recursive: true });
    await expect(test.run(fileBatch(three()))).rejects.toMatchObject({
      code: 'resource_exhausted',
      reason: 'PARTS_NOT_WRITTEN',
    });
  });

  it.skipIf(!existsSync('/dev/full'))('leaves nothing behind on a full disk', async () => {
    const test = await started(
      `${named}  import mooring_batch.parts as parts, io\n  parts.open = lambda *_, **__: open("/dev/full", "wb")\n  return mini_batch`,
    );
    await expect(test.run(fileBatch(three()))).rejects.toMatchObject({
      reason: 'PARTS_NOT_WRITTEN',
      message: expect.stringMatching(/No space left on device/),
    });
    expect(test.leftParts()).toEqual([]);
  });
});
