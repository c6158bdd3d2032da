import { Writable } from 'node:stream';
import { Operation, Priority, Protocol } from '@mooring/contracts/scoring';
import { readMooringSettings, requestSettingsDefaults, type InstanceSpec, type MooringSettings } from '@mooring/domain';
import type { ScoreCall, ScoreReply } from '@mooring/scoring-stream';

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
