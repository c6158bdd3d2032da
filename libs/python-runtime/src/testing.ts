import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { Operation, Priority, Protocol } from '@mooring/contracts/scoring';
import { readMooringSettings, requestSettingsDefaults, type InstanceSpec, type MooringSettings } from '@mooring/domain';
import type { ModelRuntime, ScoreCall, ScoreReply } from '@mooring/scoring-stream';
import { pino } from 'pino';
import { afterEach } from 'vitest';
import { createPythonRuntime, type PythonRuntimeOptions } from './python-runtime.ts';

/** For spec files: an instance that serves `script` of the folder `codeDir`, with a worker's real defaults. */
export function scriptInstance(
  codeDir: string,
  scoringScript: string,
  instanceDir: string,
  changes: Partial<Omit<InstanceSpec, 'settings' | 'runtime'>> & {
    settings?: Partial<MooringSettings>;
    workerCount?: number;
    interpreter?: string;
    modelDir?: string;
  } = {},
): InstanceSpec {
  const { settings, workerCount = 1, interpreter = 'python3', modelDir, ...rest } = changes;
  return {
    instanceId: 'i-test',
    endpoint: 'cars',
    deployment: 'luca',
    socketPath: '',
    instanceDir,
    environmentVariables: {},
    requestSettings: { ...requestSettingsDefaults, requestTimeoutMs: 30_000 },
    threads: 1,
    orphanTimeoutMs: 60_000,
    ...rest,
    runtime: {
      kind: 'python',
      interpreter,
      codeDir,
      scoringScript,
      workerCount,
      ...(modelDir === undefined ? {} : { modelDir }),
    },
    settings: { ...readMooringSettings({}).settings, ...settings },
  };
}

/** For spec files: a POST /score with `body` (an object is sent as JSON). */
export function scoreCall(body: unknown, changes: Partial<ScoreCall> = {}): ScoreCall {
  return {
    operation: Operation.OPERATION_SCORE,
    protocol: Protocol.PROTOCOL_SCORE,
    endpoint: 'cars',
    deployment: 'luca',
    requestId: 'r1',
    deadlineMs: 0,
    priority: Priority.PRIORITY_LIVE,
    traceparent: '',
    contentType: 'application/json',
    inferenceHeaderLengthPlusOne: 0,
    method: 'POST',
    query: '',
    headers: [],
    modelName: '',
    modelVersion: '',
    idempotencyKey: '',
    body: Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    ...changes,
  };
}

/** For spec files: the JSON of an answer. */
export function jsonOf(answer: ScoreReply): unknown {
  return JSON.parse(answer.body.toString('utf8'));
}

/** For spec files: holds what is written to it. */
export function memoryLog(): Writable & { text(): string; lines(): string[] } {
  let held = '';
  const out = new Writable({
    write: (bytes, _encoding, done) => {
      held += String(bytes);
      done();
    },
  });
  return Object.assign(out, { text: () => held, lines: () => held.split('\n').slice(0, -1) });
}

/** For spec files: sends `body` to be scored by a caller who never goes away. */
export async function ask(runtime: ModelRuntime, body: unknown, changes: Partial<ScoreCall> = {}): Promise<ScoreReply> {
  return runtime.score(scoreCall(body, changes), new AbortController().signal);
}

/** For spec files: the first value of a header of an answer. */
export function header(answer: ScoreReply, name: string): string | undefined {
  return answer.headers.find((h) => h.name.toLowerCase() === name)?.value;
}

type Changes = Parameters<typeof scriptInstance>[3];

export interface TestRuntime {
  runtime: ModelRuntime;
  /** What the script wrote. */
  out: ReturnType<typeof memoryLog>;
  /** The instance's folder. */
  dir: string;
}

/** For spec files: makes runtimes of scripts in `scripts`, which end with the test that made them. */
export function useRuntimes(scripts: string): {
  /** A new folder. */
  folder(): string;
  prepare(script: string, changes?: Changes, options?: PythonRuntimeOptions, codeDir?: string): TestRuntime;
  running(script: string, changes?: Changes, options?: PythonRuntimeOptions, codeDir?: string): Promise<TestRuntime>;
  /** A script given as text, alone in its code folder. */
  runningText(text: string, changes?: Changes, options?: PythonRuntimeOptions): Promise<TestRuntime>;
} {
  const cleanups: (() => void | Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  });
  const folder = (): string => {
    const path = mkdtempSync(join(tmpdir(), 'mooring-py-'));
    cleanups.push(() => rmSync(path, { recursive: true, force: true, maxRetries: 3 }));
    return path;
  };
  const prepare = (script: string, changes: Changes = {}, options: PythonRuntimeOptions = {}, codeDir = scripts) => {
    const dir = folder();
    const out = memoryLog();
    const log = pino({ level: 'silent' });
    const runtime = createPythonRuntime(scriptInstance(codeDir, script, dir, changes), log, { out, ...options });
    cleanups.push(() => runtime.stop(AbortSignal.timeout(5_000)));
    return { runtime, out, dir };
  };
  const running = async (...of: Parameters<typeof prepare>): Promise<TestRuntime> => {
    const prepared = prepare(...of);
    await prepared.runtime.start();
    return prepared;
  };
  const runningText = async (text: string, changes?: Changes, options?: PythonRuntimeOptions): Promise<TestRuntime> => {
    const code = folder();
    writeFileSync(join(code, 'score.py'), text);
    return running('score.py', changes, options, code);
  };
  return { folder, prepare, running, runningText };
}
