import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  endpointYaml,
  figure,
  fixtures,
  onnxYaml,
  scriptYaml,
  startPlatform,
  until,
  type HttpAnswer,
  type Platform,
} from './harness.ts';

const scripts = join(fixtures, 'slow-and-bad/scripts');
const badModels = join(fixtures, 'slow-and-bad/models');
const shortProbes = [
  'liveness_probe: {initial_delay: 1, period: 1, timeout: 1, success_threshold: 1, failure_threshold: 3}',
  'readiness_probe: {initial_delay: 1, period: 1, timeout: 1, success_threshold: 1, failure_threshold: 4}',
].join('\n');

let platform: Platform;
let key = '';
let steadyKey = '';
const steady = { sent: 0, failed: [] as string[], stop: false, done: Promise.resolve() };

beforeAll(async () => {
  platform = await startPlatform();
  await platform.json('online-endpoint', 'create', '-f', platform.yaml(endpointYaml('steady')));
  const ok = platform.yaml(onnxYaml('steady', 'iris', join(fixtures, 'iris-onnx/model.onnx')));
  await platform.json('online-deployment', 'create', '-f', ok, '--all-traffic');
  steadyKey = await platform.key('steady');
  await platform.json('online-endpoint', 'create', '-f', platform.yaml(endpointYaml('faulty')));
  key = await platform.key('faulty');
  steady.done = keepSending();
});

afterAll(async () => {
  steady.stop = true;
  await steady.done;
  await platform.remove();
});

/** A caller of another endpoint, who must notice nothing of all this. */
async function keepSending(): Promise<void> {
  while (!steady.stop) {
    const answer = await platform.send('/endpoints/steady/score', {
      key: steadyKey,
      body: '{"data": [[5.1, 3.5, 1.4, 0.2]]}',
    });
    steady.sent += 1;
    if (answer.status !== 200) steady.failed.push(`${answer.status} ${answer.body.toString().slice(0, 200)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function deploy(yaml: string): Promise<{ code: number; stderr: string }> {
  return platform.mooring('online-deployment', 'create', '-f', platform.yaml(yaml), '-o', 'json');
}

let made = 0;
/** A deployment of its own for each test: they run beside each other. */
const newName = (): string => `odd-${(made += 1)}`;

const remove = (name: string): Promise<unknown> =>
  platform.mooring('online-deployment', 'delete', '-n', name, '-e', 'faulty', '--yes');

const score = (deployment: string, body: unknown, timeoutMs = 30_000): Promise<HttpAnswer> =>
  platform.send('/endpoints/faulty/score', {
    key,
    timeoutMs,
    headers: { 'content-type': 'application/json', 'azureml-model-deployment': deployment },
    body: JSON.stringify(body),
  });

const script = (name: string, file: string, more = ''): string => {
  const yaml = scriptYaml('faulty', name, scripts, file, more);
  return more.includes('_probe')
    ? yaml.replace(/^(liveness|readiness)_probe: \{initial_delay: 1, period: 1, timeout: 2.*\n/gm, '')
    : yaml;
};

describe.concurrent('scripts that cannot start', () => {
  it.each([
    // The longest first: the others run beside it.
    { file: 'hang_in_init.py', says: /ready|init/ },
    { file: 'raise_at_import.py', says: /no_such_module_fixture/ },
    { file: 'raise_in_init.py', says: /fixture: init failed on purpose/ },
    { file: 'exit_in_init.py', says: /exit(ed)? (code )?7/ },
    { file: 'no_run.py', says: /run/ },
  ])('$file fails its deployment and says why', async ({ file, says }) => {
    const name = newName();
    const { code, stderr } = await deploy(script(name, file, shortProbes));
    expect(code).not.toBe(0);
    expect(stderr).toMatch(says);
    const logs = await platform.mooring('online-deployment', 'get-logs', '-n', name, '-e', 'faulty');
    expect(logs.code).toBe(0);
    if (file !== 'hang_in_init.py') expect(logs.stdout).toMatch(says);
    await remove(name);
  });

  it('refuses a script with a syntax error before anything is stored', async () => {
    const { code, stderr } = await deploy(script('broken', 'syntax_error.py'));
    expect(code).toBe(2);
    expect(stderr).toMatch(/syntax_error\.py.*3|line 3/);
    expect((await platform.mooring('online-deployment', 'show', '-n', 'broken', '-e', 'faulty')).code).toBe(3);
  });

  it('is not ready before a slow init is through', async () => {
    const startedAt = Date.now();
    expect(
      (await deploy(script('slow', 'slow_init.py', 'environment_variables: {FIXTURE_INIT_SECONDS: "2"}'))).code,
    ).toBe(0);
    expect(Date.now() - startedAt).toBeGreaterThan(2_000);
    expect((await score('slow', {})).status).toBe(200);
    await remove('slow');
  });
});

describe.concurrent('models that must not load', () => {
  it.each([
    'truncated',
    'corrupt',
    'empty',
    'not-onnx',
    'html-instead',
    'unknown-op',
    'future-opset',
    'external-data-missing',
    'external-data-escape',
  ])('%s.onnx fails its deployment with a message that says why', async (model) => {
    const name = newName();
    const { code, stderr } = await deploy(onnxYaml('faulty', name, join(badModels, `${model}.onnx`)));
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/model|onnx/i);
    const shown = await platform.json('online-deployment', 'show', '-n', name, '-e', 'faulty');
    expect(shown['provisioning_state']).toBe('Failed');
    await remove(name);
  });
});

describe.concurrent('scripts that misbehave while they run', () => {
  async function withScript(file: string, more: string, test: (name: string) => Promise<void>): Promise<void> {
    const name = newName();
    const { code, stderr } = await deploy(script(name, file, more));
    expect(code, stderr).toBe(0);
    try {
      await test(name);
    } finally {
      await remove(name);
    }
  }

  /** Until the deployment answers again, for scripts whose worker is replaced. */
  const recovered = (name: string, body: unknown): Promise<unknown> =>
    until('the worker to be back', async () => (await score(name, body)).status === 200, 20_000);

  it('run raising is 424 with the status 500 of the model, and the worker lives on', () =>
    withScript('raise_in_run.py', '', async (name) => {
      const failed = await score(name, { fail: true });
      expect(failed.status).toBe(424);
      expect(failed.headers['ms-azureml-model-error-statuscode']).toBe('500');
      expect(failed.headers['x-ms-run-function-failed']).toMatch(/true/i);
      expect((await score(name, {})).status).toBe(200);
      const logs = await platform.mooring('online-deployment', 'get-logs', '-n', name, '-e', 'faulty');
      expect(logs.stdout).toContain('fixture: run failed on purpose');
    }));

  it('run hanging, even busy and deaf to SIGTERM, is 408 and the worker is replaced', () =>
    withScript(
      'hang_in_run.py',
      'request_settings: {request_timeout_ms: 1500, max_concurrent_requests_per_instance: 1}',
      async (name) => {
        for (const how of [{}, { busy: true }, { busy: true, ignore_sigterm: true }]) {
          const hung = await score(name, how);
          expect(hung.status, hung.body.toString()).toBe(408);
          expect(hung.ms).toBeLessThan(6_000);
          await recovered(name, { seconds: 0 });
        }
      },
    ));

  it.each(['exit', 'sysexit', 'signal', 'segv'])(
    'a process that goes away by %s answers that request with a reason, and is replaced',
    (how) =>
      withScript('exit_process.py', '', async (name) => {
        const gone = await score(name, { how });
        expect([424, 502, 503]).toContain(gone.status);
        expect(gone.body.toString()).toMatch(/exit|signal|SIG|unexpected/i);
        await recovered(name, { how: 'none' });
      }),
  );

  it('answers of more than the cap are refused, below it they arrive', () =>
    withScript('huge_output.py', 'properties: {mooring.max-response-bytes: "20000000"}', async (name) => {
      expect((await score(name, { mib: 8 })).body.length).toBeGreaterThan(8 * 2 ** 20);
      const huge = await score(name, { mib: 64 });
      expect(huge.status).toBe(424);
      expect(huge.body.length).toBeLessThan(10_000);
    }));

  it('what JSON cannot hold is 424 with a message that names it; what it can is 200', () =>
    withScript('non_json.py', '', async (name) => {
      for (const kind of ['object', 'set', 'bytes', 'circular', 'deep', 'generator', 'nan']) {
        const refused = await score(name, { kind });
        expect([kind, refused.status]).toEqual([kind, 424]);
      }
      for (const kind of ['none', 'text', 'json_text', 'intkeys', 'bigint', 'surrogate']) {
        const answered = await score(name, { kind });
        expect([kind, answered.status]).toEqual([kind, 200]);
        JSON.parse(answered.body.toString());
      }
    }));

  it('a flood of prints reaches the log, bounded, and nothing of it the answer', () =>
    withScript('print_a_lot.py', '', async (name) => {
      expect(JSON.parse((await score(name, { lines: 20_000 })).body.toString())).toEqual({ printed: 20_000 });
      const logs = await platform.mooring(
        'online-deployment',
        'get-logs',
        '-n',
        name,
        '-e',
        'faulty',
        '--lines',
        '200',
      );
      expect(logs.stdout.split('\n').length).toBeLessThan(300);
      expect(logs.stdout).toContain('fixture stdout line 19999');
      expect(logs.stdout).not.toContain('\u0000');
    }));

  it('printing what looks like a protocol, and closing the standard streams, does no harm', async () => {
    await withScript('print_json_to_stdout.py', '', async (name) => {
      expect(JSON.parse((await score(name, {})).body.toString())).toEqual({ right: true });
    });
    await withScript('close_stdio.py', '', async (name) => {
      expect((await score(name, {})).status).toBe(200);
      expect((await score(name, {})).status).toBe(200);
    });
  });

  it('a leaking worker is replaced before it harms anybody', () =>
    withScript('leak_memory.py', 'properties: {mooring.memory-mib: "300"}', async (name) => {
      const held: number[] = [];
      for (let call = 0; call < 40; call += 1) {
        const answer = await score(name, { mib: 16 });
        if (answer.status === 200) held.push((JSON.parse(answer.body.toString()) as { held_mib: number }).held_mib);
      }
      // It was started anew at least once: what it held fell.
      expect(held.some((mib, index) => index > 0 && mib < (held[index - 1] ?? 0))).toBe(true);
      expect(Math.max(...held)).toBeLessThan(400);
    }));

  it('sees its own variables and nothing of the platform', () =>
    withScript('read_env_and_files.py', 'environment_variables: {MY_SETTING: "1"}', async (name) => {
      const seen = JSON.parse((await score(name, {})).body.toString()) as { env: string[] };
      expect(seen.env).toContain('MY_SETTING');
      expect(seen.env.filter((variable) => /MOORING|NATS|TOKEN|OTEL/.test(variable))).toEqual([]);
    }));

  it('children that a script leaves behind end with it', async () => {
    let child = 0;
    await withScript('children_and_threads.py', '', async (name) => {
      child = (JSON.parse((await score(name, {})).body.toString()) as { child: number }).child;
      expect(existsSync(`/proc/${child}`)).toBe(true);
    });
    await until('the child to be gone', async () => !existsSync(`/proc/${child}`), 15_000);
  });
});

describe.concurrent('ONNX models that misbehave while they run', () => {
  it.each([
    {
      model: 'fails-at-run',
      good: { x: [0, 0, 0, 0, 0, 0], shape: [3, 2] },
      bad: { x: [0, 0, 0, 0, 0, 0], shape: [4, 2] },
    },
    { model: 'huge-output', good: { value: [7], n: [5] }, bad: { value: [7], n: [8589934592] } },
  ])('$model fails only the request that is wrong', async ({ model, good, bad }) => {
    const name = newName();
    const { code, stderr } = await deploy(onnxYaml('faulty', name, join(badModels, `${model}.onnx`)));
    expect(code, stderr).toBe(0);
    expect((await score(name, { data: good })).status).toBe(200);
    const failed = await score(name, { data: bad });
    expect([400, 413, 424]).toContain(failed.status);
    expect(failed.body.toString()).toMatch(/error/);
    expect((await score(name, { data: good })).status).toBe(200);
    await remove(name);
  });

  it('answers NaN and infinities in valid JSON', async () => {
    const name = newName();
    expect((await deploy(onnxYaml('faulty', name, join(badModels, 'nan-inf.onnx')))).code).toBe(0);
    const answer = await score(name, { data: [1, -1, 0] });
    expect(answer.status, answer.body.toString()).toBe(200);
    JSON.parse(answer.body.toString());
    await remove(name);
  });
});

describe('everybody else', () => {
  it('went on being served through all of it', () => {
    figure(`A5 slow-and-bad: ${steady.sent} requests to another endpoint meanwhile, ${steady.failed.length} failed`);
    expect(steady.failed).toEqual([]);
    expect(steady.sent).toBeGreaterThan(500);
  });
});
