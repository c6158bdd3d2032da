import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { fileBatch } from '../testing.ts';
import { named, useScripts } from './testing.ts';

const { three, scripted, started } = useScripts();
const start = async (script: string | Uint8Array, options = {}, changes = {}): Promise<void> =>
  scripted(script, options, changes).runner.start(new AbortController().signal);

describe('a script that cannot be loaded', () => {
  it.each([
    ['a syntax error', 'def init(:\n', 'USER_SCRIPT_IMPORT_ERROR', /syntax error in line 1/],
    [
      'bytes that are not UTF-8',
      Buffer.from([0x78, 0x3d, 0x22, 0xff, 0x22]),
      'USER_SCRIPT_IMPORT_ERROR',
      /syntax error/,
    ],
    [
      'an import of what is not there',
      'import no_such_thing',
      'USER_SCRIPT_IMPORT_ERROR',
      /No module named 'no_such_thing'/,
    ],
    ['an exception at import', 'raise RuntimeError("early")', 'USER_SCRIPT_IMPORT_ERROR', /RuntimeError: early/],
    ['an exit at import', 'import sys; sys.exit(4)', 'USER_SCRIPT_IMPORT_ERROR', /SystemExit: 4/],
    ['no run()', 'def init(): pass', 'USER_SCRIPT_FUNCTION_NOT_FOUND', /no function run\(\)/],
    ['no init()', 'def run(mini_batch): return []', 'USER_SCRIPT_FUNCTION_NOT_FOUND', /no function init\(\)/],
    ['a run that is no function', 'def init(): pass\nrun = 3', 'USER_SCRIPT_FUNCTION_NOT_FOUND', /no function run\(\)/],
    ['an empty file', '', 'USER_SCRIPT_FUNCTION_NOT_FOUND', /no function init\(\)/],
    [
      'an init() that raises',
      'def init(): raise OSError("no model")\ndef run(b): pass',
      'USER_SCRIPT_INIT_FAILED',
      /OSError: no model/,
    ],
    ['an init() that exits', 'def init(): exit(1)\ndef run(b): pass', 'USER_SCRIPT_INIT_FAILED', /SystemExit: 1/],
    [
      'an init() that ends the process',
      'import os\ndef init(): os._exit(3)\ndef run(b): pass',
      'PROCESS_NOT_STARTED',
      /exited 3 while it loaded/,
    ],
    ['an init() that crashes', 'import os\ndef init(): os.abort()\ndef run(b): pass', 'PROCESS_NOT_STARTED', /SIGABRT/],
  ])('says so: %s', async (_what, script, reason, message) => {
    await expect(start(script)).rejects.toMatchObject({
      code: 'failed_precondition',
      reason,
      message: expect.stringMatching(message),
    });
  });

  it('says so: an init() that does not return', async () => {
    const script = 'import time\ndef init(): time.sleep(60)\ndef run(b): pass';
    await expect(start(script, { loadTimeoutMs: 500 })).rejects.toMatchObject({
      message: expect.stringMatching(/did not load within 0.5 s/),
    });
  });

  it('says so: an interpreter that is not there', async () => {
    await expect(start(named, {}, { interpreter: '/no/such/python3' })).rejects.toMatchObject({
      reason: 'PROCESS_NOT_STARTED',
      message: expect.stringMatching(/could not be started: .*ENOENT/),
    });
  });

  it('is ended when nobody waits for it', async () => {
    const cancel = new AbortController();
    const test = scripted('import time\ndef init(): time.sleep(60)\ndef run(b): pass');
    setTimeout(() => cancel.abort(), 300);
    await expect(test.runner.start(cancel.signal)).rejects.toMatchObject({ code: 'cancelled' });
  });
});

const odd = `class Odd:
  def __str__(self): raise ValueError("no text")
class BadArray:
  def __len__(self): return 3
  def tolist(self): raise ValueError("no list")
${named}`;

describe('a run() that fails', () => {
  it.each([
    ['nothing', 'return None', /returned None: return a list/],
    ['a dict', 'return {"n": 1}', /returned a dict/],
    ['a text', 'return "abc"', /returned a str/],
    ['bytes', 'return b"abc"', /returned a bytes/],
    ['a number', 'return 3', /returned a int/],
    ['a set', 'return {1, 2, 3}', /returned a set/],
    ['a generator', 'return (p for p in mini_batch)', /returned a generator/],
    ['an object', 'return object()', /returned a object/],
    ['an array without a list', 'return BadArray()', /tolist\(\) raised ValueError: no list/],
    ['an element without a text', 'return [1, Odd(), 3]', /ValueError: no text/],
  ])('fails the mini-batch whole: it returns %s', async (_what, body, message) => {
    const test = await started(`${odd}  ${body}`);
    expect(await test.run(fileBatch(three()))).toEqual({ kind: 'raised', message: expect.stringMatching(message) });
    expect(test.leftParts()).toEqual([]);
  });

  it.each([
    ['an exception', 'raise ValueError("bad pixel")', /run\(\) raised ValueError: bad pixel\n.*line 4, in run/s],
    ['an exit', 'sys.exit(3)', /SystemExit: 3/],
    ['Ctrl+C', 'raise KeyboardInterrupt()', /KeyboardInterrupt/],
    ['no end of itself', 'return run(mini_batch)', /RecursionError/],
    ['a name that is not there', 'return nothing', /NameError: name 'nothing' is not defined/],
    [
      'an exception without words',
      'class Mute(Exception):\n    def __str__(self): raise self\n  raise Mute()',
      /run\(\) raised Mute/,
    ],
    ['all memory at once', 'return [b"x" * (1 << 46)]', /MemoryError/],
  ])('fails the mini-batch whole: %s', async (_what, body, message) => {
    const test = await started(`${named}  ${body}`);
    expect(await test.run(fileBatch(three()))).toEqual({ kind: 'raised', message: expect.stringMatching(message) });
    expect(test.leftParts()).toEqual([]);
  });

  it.each([
    ['exits', 'os._exit(5)', /the process of the scoring script batch_score.py exited 5 in run\(\)/],
    ['crashes in native code', 'import ctypes; ctypes.string_at(0)', /SIGSEGV/],
    ['aborts', 'os.abort()', /SIGABRT/],
    ['is killed', 'os.kill(os.getpid(), 9)', /SIGKILL/],
    ['closes all descriptors', 'os.closerange(0, 4096); return mini_batch', /process of the scoring script/],
    ['kills its group', 'os.killpg(0, 15)', /SIGTERM/],
    [
      'answers for itself',
      'for fd in range(200, 300):\n    try: os.write(fd, b\'{"type":"done","succeeded":9,"failed":-8,"part":null}\\n\')\n    except OSError: pass\n  return mini_batch',
      /gave an answer that is none/,
    ],
  ])('is started again for the next mini-batch when it %s', async (_what, body, message) => {
    const test = await started(`${named}  if os.path.basename(mini_batch[0]) != "a.txt": return mini_batch\n  ${body}`);
    const [a, b] = three();
    if (a === undefined || b === undefined) throw new Error('no files');
    expect(await test.run(fileBatch([a]))).toEqual({ kind: 'process-lost', message: expect.stringMatching(message) });
    expect(await test.run(fileBatch([b]))).toMatchObject({ kind: 'done', succeeded: 1 });
    expect(test.leftParts()).toHaveLength(1);
  });

  it('fails its mini-batch where it left its process unable to write, and the next one has a new process', async () => {
    const test = await started(
      `import resource\n${named}  if mini_batch[0].endswith("a.txt"): resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n  return mini_batch`,
    );
    const [a, b] = three();
    if (a === undefined || b === undefined) throw new Error('no files');
    expect(await test.run(fileBatch([a]))).toEqual({
      kind: 'raised',
      message: expect.stringMatching(/could not be written.*Too many open files/),
    });
    expect(await test.run(fileBatch([b]))).toMatchObject({ kind: 'done', succeeded: 1 });
  });

  it('is started again after its time is over, whatever it does', async () => {
    const test = await started(
      `${named}  if mini_batch[0].endswith("a.txt"):\n    while True: pass\n  return [os.getpid()]`,
    );
    const [a, b] = three();
    if (a === undefined || b === undefined) throw new Error('no files');
    const began = performance.now();
    expect(await test.run(fileBatch([a]), { timeoutMs: 400 })).toEqual({
      kind: 'timed-out',
      message: 'the scoring script batch_score.py did not finish the mini-batch within 0.4 s (retry_settings.timeout)',
    });
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(await test.run(fileBatch([b]))).toMatchObject({ kind: 'done', succeeded: 1 });
  });

  it('is not started again by a run that nobody waits for any more', async () => {
    const test = await started(`${named}  import time\n  time.sleep(60)`);
    const cancel = new AbortController();
    setTimeout(() => cancel.abort(), 200);
    await expect(test.run(fileBatch(three()), { signal: cancel.signal })).rejects.toMatchObject({ code: 'cancelled' });
    await expect(test.run(fileBatch(three()), { signal: cancel.signal })).rejects.toMatchObject({ code: 'cancelled' });
    expect(test.leftParts()).toEqual([]);
  });

  it('says why it cannot be started again', async () => {
    const test = await started(`import os
once = os.path.join(os.environ["TMPDIR"], "once")
def init():
  if os.path.exists(once): raise RuntimeError("only once")
  open(once, "w").close()
def run(mini_batch): os._exit(1)`);
    await test.run(fileBatch(three()));
    expect(await test.run(fileBatch(three()))).toEqual({
      kind: 'process-lost',
      message: 'the scoring script batch_score.py could not be started again: init() raised RuntimeError: only once',
    });
  });

  it('is ended when it holds more memory than it may', async () => {
    const test = await started(
      `${named}  import time\n  held = bytearray(os.urandom(1 << 20)) * 300\n  time.sleep(30)`,
      {},
      { limits: { cpu: 1, memoryMib: 128 } },
    );
    expect(await test.run(fileBatch(three()))).toEqual({
      kind: 'process-lost',
      message: expect.stringMatching(/held \d+ MiB of memory and may hold 128 MiB/),
    });
  });
});
