import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelLoadError, ModelRuntime } from '@mooring/scoring-stream';
import { eventually, fixture } from '@mooring/testing';
import { describe, expect, it } from 'vitest';
import { useRuntimes } from './testing.ts';

const scripts = fixture('slow-and-bad/scripts');
const { folder, prepare } = useRuntimes(scripts);

async function loadError(runtime: ModelRuntime): Promise<ModelLoadError> {
  return runtime.start().then(
    () => Promise.reject(new Error('it loaded')),
    (error: unknown) => error as ModelLoadError,
  );
}

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
    const dir = { path: folder() };
    writeFileSync(join(dir.path, 'score.py'), `def init(): pass\n${text}\n`);
    const { runtime } = prepare('score.py', {}, {}, dir.path);
    expect((await loadError(runtime)).message).toContain(message);
  });
});
