import { eventually, fixture } from '@mooring/testing';
import { describe, expect, it } from 'vitest';
import { ask, header, jsonOf, useRuntimes } from './testing.ts';

const scripts = fixture('slow-and-bad/scripts');
const { running, runningText } = useRuntimes(scripts);

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
      ['text', 'json_text', 'intkeys', 'bigint', 'surrogate'].map(async (kind) =>
        (await ask(runtime, { kind })).body.toString(),
      ),
    );
    expect(bodies).toEqual([
      '"plain text, not JSON"',
      '"{\\"already\\": \\"JSON text\\"}"',
      '{"1": "a", "2": "b"}',
      '{"n": 1208925819614629174706176}',
      '{"s": "\\ud800"}',
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
