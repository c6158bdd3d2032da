import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Operation, Priority, Protocol } from '@mooring/contracts/scoring';
import { readMooringSettings, type InstanceSpec, type MooringSettings, type OnnxRuntimeSpec } from '@mooring/domain';
import { errorOf, type ModelRuntime, type ScoreCall, type ScoreReply } from '@mooring/scoring-stream';
import { pino } from 'pino';
import { createOnnxRuntime } from './onnx-runtime.ts';

const root = new URL('../../testing/fixtures/', import.meta.url);

export function fixturePath(path: string): string {
  return fileURLToPath(new URL(path, root));
}

// oxlint-disable-next-line typescript/no-explicit-any -- fixtures are JSON of many shapes
export function fixtureJson(path: string): any {
  return JSON.parse(readFileSync(fixturePath(path), 'utf8'));
}

// oxlint-disable-next-line typescript/no-explicit-any -- as above
export function casesOf(list: any[], nameOf: (entry: any) => unknown = (entry) => entry.name): [string, any][] {
  return list.map((entry) => [String(nameOf(entry)), entry]);
}

export const quiet = pino({ enabled: false });
export const never = new AbortController().signal;

export function onnxSpec(
  model: string,
  settings: Partial<MooringSettings> = {},
): InstanceSpec & { runtime: OnnxRuntimeSpec } {
  return {
    instanceId: 'i-1',
    endpoint: 'flowers',
    deployment: 'blue',
    socketPath: '',
    instanceDir: '',
    runtime: { kind: 'onnx', file: fixturePath(model) },
    environmentVariables: {},
    requestSettings: { requestTimeoutMs: 5_000, maxConcurrentRequestsPerInstance: 1, maxQueueWaitMs: 500 },
    settings: { ...readMooringSettings({}).settings, ...settings },
    threads: 1,
    orphanTimeoutMs: 60_000,
  };
}

export async function startOnnx(model: string, settings: Partial<MooringSettings> = {}): Promise<ModelRuntime> {
  const runtime = createOnnxRuntime(onnxSpec(model, settings), quiet);
  await runtime.start();
  return runtime;
}

export function scoreCall(fields: Partial<ScoreCall>): ScoreCall {
  return {
    operation: Operation.OPERATION_INFER,
    protocol: Protocol.PROTOCOL_OIP_REST,
    endpoint: 'flowers',
    deployment: 'blue',
    requestId: 'r-1',
    deadlineMs: 0,
    priority: Priority.PRIORITY_LIVE,
    traceparent: '',
    contentType: '',
    inferenceHeaderLengthPlusOne: 0,
    method: 'POST',
    query: '',
    headers: [],
    modelName: 'flowers',
    modelVersion: 'blue',
    idempotencyKey: '',
    body: Buffer.alloc(0),
    ...fields,
  };
}

export function inferJson(body: unknown): ScoreCall {
  return scoreCall({ body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) });
}

export function scoreJson(body: unknown): ScoreCall {
  return { ...inferJson(body), operation: Operation.OPERATION_SCORE, protocol: Protocol.PROTOCOL_SCORE };
}

/** The answer's JSON, or the error thrown. */
// oxlint-disable-next-line typescript/no-explicit-any -- answers are JSON of many shapes
export function jsonOf(answer: ScoreReply): any {
  const error = errorOf(answer);
  if (error !== undefined) throw error;
  return JSON.parse(answer.body.toString('utf8'));
}
