import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Operation, type Timing } from '@mooring/contracts/scoring';
import type { ModelLoadError, ModelRuntime, ScoreReply } from '@mooring/scoring-stream';
import { eventually, fixture, tempDir } from '@mooring/testing';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { createPythonRuntime, type PythonRuntimeOptions } from './python-runtime.ts';
import { jsonOf, memoryLog, scoreCall, scriptInstance } from './testing.ts';

const scripts = fixture('slow-and-bad/scripts');
const never = new AbortController().signal;
const silent = pino({ level: 'silent' });
const cleanups: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

type Changes = Parameters<typeof scriptInstance>[3];

function prepare(script: string, changes: Changes = {}, options: PythonRuntimeOptions = {}, codeDir = scripts) {
  const dir = tempDir('mooring-py-');
  const out = memoryLog();
  const runtime = createPythonRuntime(scriptInstance(codeDir, script, dir.path, changes), silent, { out, ...options });
  cleanups.push(dir.remove);
  cleanups.push(() => runtime.stop(AbortSignal.timeout(5_000)));
  return { runtime, out, dir: dir.path };
}

async function running(script: string, changes: Changes = {}, options: PythonRuntimeOptions = {}, codeDir = scripts) {
  const prepared = prepare(script, changes, options, codeDir);
  await prepared.runtime.start();
  return prepared;
}

/** A code folder with one script. */
async function runningText(text: string, changes: Changes = {}, options: PythonRuntimeOptions = {}) {
  const dir = tempDir('mooring-code-');
  cleanups.push(dir.remove);
  writeFileSync(join(dir.path, 'score.py'), text);
  return running('score.py', changes, options, dir.path);
}

async function loadError(runtime: ModelRuntime): Promise<ModelLoadError> {
  return runtime.start().then(
    () => Promise.reject(new Error('it loaded')),
    (error: unknown) => error as ModelLoadError,
  );
}

const ask = (runtime: ModelRuntime, body: unknown, changes = {}): Promise<ScoreReply> =>
  runtime.score(scoreCall(body, changes), never);
const header = (answer: ScoreReply, name: string): string | undefined =>
  answer.headers.find((h) => h.name.toLowerCase() === name)?.value;
const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

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
    cleanups.push(() => void delete process.env['MOORING_NATS_PASSWORD']);
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
    const dir = tempDir('mooring-code-');
    cleanups.push(dir.remove);
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

describe('loading that fails', () => {
  it.each([
    {
      script: 'raise_in_init.py',
      code: 'UserScriptInitFailed',
      message: 'fixture: init failed on purpose',
      permanent: true,
    },
    { script: 'raise_at_import.py', code: 'UserScriptImportError', message: 'no_such_module_fixture', permanent: true },
    {
      script: 'syntax_error.py',
      code: 'UserScriptImportError',
      message: 'syntax_error.py has a syntax error in line 3',
      permanent: true,
    },
    { script: 'no_run.py', code: 'UserScriptFunctionNotFound', message: 'has no function run()', permanent: true },
    { script: 'not_there.py', code: 'UserScriptImportError', message: 'not_there.py', permanent: true },
    { script: 'exit_in_init.py', code: 'DeploymentCrashLoopBackOff', message: 'exited 7 in init()', permanent: false },
  ])('says $code for $script', async ({ script, code, message, permanent }) => {
    const { runtime } = prepare(script, { workerCount: 2 });
    const error = await loadError(runtime);
    expect(error.status).toMatchObject({ state: 'failed', code, permanent });
    expect(error.message).toContain(message);
    expect(runtime.ready()).toBe(false);
  });

  it('puts the traceback of init into the log', async () => {
    const { runtime, out } = prepare('raise_in_init.py');
    await loadError(runtime);
    await eventually(() => expect(out.text()).toContain('raise_in_init.py'));
    expect(out.text()).toContain('RuntimeError: fixture: init failed on purpose');
    expect(out.text()).not.toContain('mooring_worker');
  });

  it('gives up on an init that hangs when a limit is set', async () => {
    const { runtime } = prepare('hang_in_init.py', {}, { initTimeoutMs: 700 });
    const error = await loadError(runtime);
    expect(error.message).toContain('took longer than 700 ms');
  });

  it('can be stopped while init hangs', async () => {
    const { runtime, dir } = prepare('hang_in_init.py');
    const error = loadError(runtime);
    await runtime.stop(AbortSignal.timeout(5_000));
    expect((await error).message).toContain('stopped while');
    expect(dir).not.toBe('');
  });

  it('names an interpreter that is not there', async () => {
    const { runtime } = prepare('ok.py', { interpreter: '/no/such/python' });
    expect((await loadError(runtime)).message).toContain('/no/such/python');
  });

  it.each([
    { text: 'def run(*args): return 1', message: '*args' },
    { text: 'def run(): return 1', message: 'an argument for input data' },
    { text: 'def run(request_headers): return 1', message: 'other than "request_headers"' },
    { text: 'def run(a, /): return 1', message: 'positional-only' },
    { text: 'def run(a, **more): return 1', message: '**kwargs' },
    {
      text: `from azureml_inference_server_http.api.aml_request import rawhttp
from inference_schema.schema_decorators import input_schema
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
@rawhttp
@input_schema("a", StandardPythonParameterType(1))
def run(a): return 1`,
      message: 'both @rawhttp and @input_schema',
    },
  ])('refuses a run that the contract forbids: $message', async ({ text, message }) => {
    const dir = tempDir('mooring-code-');
    cleanups.push(dir.remove);
    writeFileSync(join(dir.path, 'score.py'), `def init(): pass\n${text}\n`);
    const { runtime } = prepare('score.py', {}, {}, dir.path);
    expect((await loadError(runtime)).message).toContain(message);
  });
});

describe('run that fails', () => {
  it('answers 500 of the model, keeps the text for the log, and lives on', async () => {
    const { runtime, out } = await running('raise_in_run.py');
    const answer = await ask(runtime, { fail: true });
    expect(answer).toMatchObject({ errorCode: 'model_failed', errorReason: 'RUN_FAILED', status: 500, started: true });
    expect(jsonOf(answer)).toEqual({
      message: 'An unexpected error occurred in scoring script. Check the logs for more info.',
    });
    expect(header(answer, 'x-ms-run-function-failed')).toBe('True');
    await eventually(() => expect(out.text()).toContain('ValueError: fixture: run failed on purpose'));
    expect(jsonOf(await ask(runtime, {}))).toEqual({ ok: true });
  });

  it.each([
    { kind: 'object', message: 'run() returned a Thing, which JSON cannot hold' },
    { kind: 'set', message: 'a set, which JSON cannot hold: make it a list' },
    { kind: 'bytes', message: 'a bytes, which JSON cannot hold: return AMLResponse' },
    { kind: 'nan', message: 'NaN or Infinity' },
    { kind: 'circular', message: 'contains itself' },
    { kind: 'deep', message: 'nested too deeply' },
    { kind: 'surrogate', message: 'lone surrogate' },
    { kind: 'generator', message: 'a generator, which JSON cannot hold: make it a list' },
  ])('names what cannot be JSON: $kind', async ({ kind, message }) => {
    const { runtime } = await running('non_json.py');
    const answer = await ask(runtime, { kind });
    expect(answer).toMatchObject({ errorCode: 'model_failed', errorReason: 'RESULT_NOT_JSON', status: 500 });
    expect(answer.errorMessage).toContain(message);
    expect(jsonOf(await ask(runtime, { kind: 'none' }))).toEqual({});
  });

  it('sends texts, whole numbers of any size and number keys as Python writes them', async () => {
    const { runtime } = await running('non_json.py');
    const bodies = await Promise.all(
      ['text', 'json_text', 'intkeys', 'bigint'].map(async (kind) => (await ask(runtime, { kind })).body.toString()),
    );
    expect(bodies).toEqual([
      '"plain text, not JSON"',
      '"{\\"already\\": \\"JSON text\\"}"',
      '{"1": "a", "2": "b"}',
      '{"n": 1208925819614629174706176}',
    ]);
  });

  it('refuses an answer that is larger than the deployment allows', async () => {
    const { runtime } = await running('huge_output.py', { settings: { maxResponseBytes: 2 ** 20 } });
    const answer = await ask(runtime, { mib: 8 });
    expect(answer).toMatchObject({ errorCode: 'model_failed', errorReason: 'RESPONSE_TOO_LARGE' });
    expect((await ask(runtime, { mib: 0 })).status).toBe(200);
  });

  it('passes a large answer that is allowed', async () => {
    const { runtime } = await running('huge_output.py');
    expect((await ask(runtime, { mib: 20 })).body.length).toBe(20 * 2 ** 20 + '{"text": ""}'.length);
  });
});

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

describe('deadlines', () => {
  it.each([{ busy: false }, { busy: true }, { ignore_sigterm: true, busy: true }])(
    'answers at request_timeout_ms and replaces the worker (%o)',
    async (body) => {
      const { runtime } = await running('hang_in_run.py', {
        requestSettings: { requestTimeoutMs: 300, maxConcurrentRequestsPerInstance: 1, maxQueueWaitMs: 500 },
      });
      const from = performance.now();
      const answer = await ask(runtime, body);
      expect(answer).toMatchObject({ errorCode: 'scoring_timeout', errorReason: 'SCORING_TIMEOUT', started: true });
      expect(performance.now() - from).toBeLessThan(2_000);
      await eventually(() => runtime.ready());
      expect(jsonOf(await ask(runtime, { seconds: 0 }))).toEqual({ slept: 0 });
    },
  );

  it('counts the time in the queue, and says that such a call never started', async () => {
    const { runtime } = await running('hang_in_run.py');
    const running1 = ask(runtime, { seconds: 1 });
    expect(await ask(runtime, { seconds: 0 }, { deadlineMs: 200 })).toMatchObject({
      errorCode: 'scoring_timeout',
      started: false,
    });
    expect(jsonOf(await running1)).toEqual({ slept: 1 });
  });

  it('takes a cancelled call out of the queue and finishes one that runs', async () => {
    const { runtime } = await running('hang_in_run.py');
    const gone = new AbortController();
    const first = runtime.score(scoreCall({ seconds: 0.3 }), gone.signal);
    const second = runtime.score(scoreCall({ seconds: 60 }), gone.signal);
    const third = ask(runtime, { seconds: 0 });
    gone.abort();
    expect(await first).toMatchObject({ errorCode: 'cancelled', started: true });
    expect(await second).toMatchObject({ errorCode: 'cancelled', started: false });
    expect(jsonOf(await third)).toEqual({ slept: 0 });
  });

  it('refuses what does not fit into its queue', async () => {
    const { runtime } = await running('hang_in_run.py', {}, { queueMax: 1 });
    const kept = [ask(runtime, { seconds: 0.3 }), ask(runtime, { seconds: 0 })];
    expect(await ask(runtime, { seconds: 0 })).toMatchObject({
      errorCode: 'resource_exhausted',
      errorReason: 'QUEUE_FULL',
      started: false,
    });
    for (const answer of await Promise.all(kept)) expect(answer.status).toBe(200);
  });
});

describe('what a script writes', () => {
  it('comes out as readable lines, whatever it is', async () => {
    const { runtime, out } = await running('print_a_lot.py');
    expect((await ask(runtime, { lines: 20_000 })).status).toBe(200);
    await eventually(() => expect(out.text()).toContain('no line end'));
    const lines = out.lines();
    expect(lines[0]).toBe('fixture: init says hello');
    expect(lines.filter((line) => line.startsWith('fixture stdout line ')).length).toBe(20_000);
    expect(lines.filter((line) => line.startsWith('fixture stderr line ')).length).toBe(2_000);
    expect(lines.find((line) => line.startsWith('long '))).toMatch(/\[line cut: 1000005 bytes\]$/);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(17_000);
    expect(lines).toContain('unicode ☃ \\x1b[31mred\\x1b[0m \\x00 nul \\r carriage');
    expect(lines).toContain('bytes that are not UTF-8: \\xff\\xfe');
    expect(lines.some((line) => line.includes('fixture: a logging warning'))).toBe(true);
  });

  it('is never taken for an answer', async () => {
    const { runtime, out } = await running('print_json_to_stdout.py');
    expect(jsonOf(await ask(runtime, ''))).toEqual({ right: true });
    await eventually(() => expect(out.text()).toContain('{"id": 1, "result": {"wrong": true}}'));
  });

  it('still has a log after it has closed its streams', async () => {
    const { runtime } = await running('close_stdio.py');
    expect(jsonOf(await ask(runtime, ''))).toEqual({ closed: true });
    expect(jsonOf(await ask(runtime, ''))).toEqual({ closed: true });
    const { runtime: second, out } = await runningText(
      'import os\ndef init(): pass\ndef run(d):\n    os.close(1); os.close(2)\n    raise ValueError("still logged")\n',
    );
    expect((await ask(second, '')).errorReason).toBe('RUN_FAILED');
    await eventually(() => expect(out.text()).toContain('still logged'));
  });
});

describe('the request', () => {
  const echo = `
def init(): pass
def run(text, request_headers): return {"text": text, "headers": request_headers}
`;

  it('reaches run as text, with the headers that it asks for', async () => {
    const { runtime } = await runningText(echo);
    expect(runtime.wantsHeaders).toBe(true);
    const answer = await ask(runtime, ' {"a": "☃"}', { headers: [{ name: 'x-color', value: 'red' }] });
    expect(jsonOf(answer)).toEqual({
      text: ' {"a": "☃"}',
      headers: { 'x-color': 'red', 'Content-Type': 'application/json' },
    });
  });

  it('turns the query of a GET into a JSON object', async () => {
    const { runtime } = await runningText(echo);
    const answer = jsonOf(
      await ask(runtime, '', { method: 'GET', query: 'a=1&b=[1,2]&c=x&c=2&d=null', contentType: '' }),
    ) as { text: string };
    expect(JSON.parse(answer.text)).toEqual({ a: 1, b: [1, 2], c: ['x', 2], d: null });
  });

  it('refuses a body that is not UTF-8', async () => {
    const { runtime } = await runningText(echo);
    expect(await ask(runtime, Buffer.from([0xff, 0xfe]))).toMatchObject({
      errorCode: 'model_failed',
      status: 400,
      errorReason: 'BODY_NOT_UTF8',
    });
  });

  it('reaches a @rawhttp script whole, and AMLResponse is sent as it is', async () => {
    const { runtime } = await runningText(`
from azureml.contrib.services.aml_request import AMLRequest, rawhttp
from azureml.contrib.services.aml_response import AMLResponse
def init(): pass
@rawhttp
def run(request):
    assert isinstance(request, AMLRequest)
    if request.files:
        f = request.files["image"]
        return AMLResponse(f.read(), 200, {"Content-Type": "image/png", "x-name": f.filename, "x-field": request.form["note"]})
    if request.args.get("teapot"):
        return AMLResponse({"short": True}, 418, {"x-a": "1,2"}, json_str=True)
    return {"method": request.method, "json": request.get_json(), "text": request.get_data(as_text=True), "h": request.headers["X-COLOR"]}
`);
    const plain = await ask(runtime, '{"a":1}', { headers: [{ name: 'x-color', value: 'red' }] });
    expect(jsonOf(plain)).toEqual({ method: 'POST', json: { a: 1 }, text: '{"a":1}', h: 'red' });
    const teapot = await ask(runtime, '', { method: 'GET', query: 'teapot=1' });
    expect(teapot).toMatchObject({
      errorCode: 'model_failed',
      errorReason: 'MODEL_STATUS',
      status: 418,
      contentType: 'application/json',
    });
    expect(teapot.headers.filter((h) => h.name === 'x-a').map((h) => h.value)).toEqual(['1', '2']);
    const bytes = Buffer.from([0x89, 0x50, 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0xff, 0x0d]);
    const form = Buffer.concat([
      Buffer.from(
        '--B\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n--B\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n',
      ),
      bytes,
      Buffer.from('\r\n--B--\r\n'),
    ]);
    const upload = await ask(runtime, form, { contentType: 'multipart/form-data; boundary=B' });
    expect(upload).toMatchObject({ status: 200, contentType: 'image/png' });
    expect(upload.body.equals(bytes)).toBe(true);
    expect(header(upload, 'x-name')).toBe('a.png');
    expect(header(upload, 'x-field')).toBe('hello');
  });

  it('is unpacked and checked by the schema decorators, which also make the Swagger', async () => {
    const { runtime } = await runningText(`
from inference_schema.schema_decorators import input_schema, output_schema
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
def init(): pass
@input_schema("count", StandardPythonParameterType(3))
@input_schema("names", StandardPythonParameterType(["a"]))
@output_schema(StandardPythonParameterType({"all": ["x"]}))
def run(names, count=2): return {"all": names * count}
`);
    expect(jsonOf(await ask(runtime, { names: ['q'] }))).toEqual({ all: ['q', 'q'] });
    expect(jsonOf(await ask(runtime, '', { method: 'GET', query: 'names=["z"]&count=1' }))).toEqual({ all: ['z'] });
    expect(await ask(runtime, { names: 5 })).toMatchObject({ status: 400, errorReason: 'SCHEMA_VIOLATION' });
    expect(await ask(runtime, {})).toMatchObject({ status: 400, errorMessage: expect.stringContaining("'names'") });
    expect(await ask(runtime, '{')).toMatchObject({ status: 400, errorReason: 'BODY_NOT_JSON' });
    expect(await ask(runtime, '[]')).toMatchObject({ status: 400 });
    expect(await ask(runtime, '{}', { contentType: 'text/plain' })).toMatchObject({ status: 415 });
    const swagger = jsonOf(await ask(runtime, '', { operation: Operation.OPERATION_SWAGGER })) as {
      swagger: string;
      definitions: { ServiceInput: unknown };
    };
    expect(swagger.swagger).toBe('2.0');
    expect(swagger.definitions.ServiceInput).toMatchObject({
      properties: { names: { type: 'array' }, count: { type: 'integer' } },
      example: { names: ['a'], count: 3 },
    });
    expect(
      jsonOf(await ask(runtime, '', { operation: Operation.OPERATION_SWAGGER, query: 'version=3' })),
    ).toMatchObject({ openapi: '3.0.3' });
    expect(await ask(runtime, '', { operation: Operation.OPERATION_SWAGGER, query: 'version=9' })).toMatchObject({
      errorCode: 'not_found',
    });
    expect(await ask(runtime, '', { operation: Operation.OPERATION_INFER })).toMatchObject({
      errorCode: 'unimplemented',
    });
  });
});
