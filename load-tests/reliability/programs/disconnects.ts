import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ModelInferRequest } from '@mooring/contracts/inference';
import { until } from '../../bench/processes/child.ts';
import { metric, processesOf, type ProcessState } from '../observe/processes.ts';
import { median, quantile } from '../observe/slope.ts';
import { Platform, yamlOf } from '../platform.ts';
import { figure, type Program } from '../programs.ts';
import { leaveGrpc, leaveRest, stages, type Leaving, type Stage } from './leavers.ts';
import { probeGrpc, probeRest } from './probes.ts';

const models = fileURLToPath(new URL('../../../libs/testing/fixtures/slow-and-bad/models/', import.meta.url));
const sleepMs = 40;
const limitsOf = (calls: number): string =>
  `request_settings: {request_timeout_ms: 10000, max_queue_wait_ms: 5000, max_concurrent_requests_per_instance: ${calls}}`;
const inFlightMs = 15_000;
const warmUpMax = 100;
const largeBytes = 4 * 2 ** 20;
/** Descriptors and memory after it all: what a process may have more than before. */
const descriptorsMax = 8;
const rssMaxMib = 64;
const script = `
import json, time
def init(): pass
def run(raw_data):
    asked = json.loads(raw_data)
    time.sleep(asked["sleep"])
    return "x" * asked.get("bytes", 0)
`;

/** One way in: who leaves there, and who asks afterwards. */
interface Side {
  name: 'REST' | 'gRPC';
  endpoint: string;
  /** Callers that keep the model busy, so that others wait. */
  busy: number;
  leave(stage: Stage, turn: number): Promise<void>;
  /** An honest request of the usual cost; its time. */
  probe(): Promise<number>;
}

export interface SideFigures {
  name: string;
  left: number;
  freedMs: number[];
  wastedPercent: number;
  cancelled: number;
}

export interface DisconnectFigures {
  sides: SideFigures[];
  before: ProcessState[];
  after: ProcessState[];
}

/** Callers leave `count` times on each way in, a fifth of them at each stage. */
export async function disconnects(count: number, signal: AbortSignal): Promise<DisconnectFigures> {
  const platform = new Platform(signal);
  try {
    await platform.start('default', undefined);
    const sides = [await restSide(platform), await grpcSide(platform)];
    const endpoints = ['waits', 'heavy', 'large'];
    // Code is compiled and heaps grow, once.
    for (const side of sides) await leaveAll(platform, side, Math.min(count, warmUpMax), signal);
    const before = await processesOf(platform, endpoints);
    const figures: SideFigures[] = [];
    for (const side of sides) figures.push(await leaveAll(platform, side, count, signal));
    return { sides: figures, before, after: await processesOf(platform, endpoints) };
  } finally {
    await platform.stop();
  }
}

async function leaveAll(platform: Platform, side: Side, count: number, signal: AbortSignal): Promise<SideFigures> {
  const { endpoint } = side;
  const usual = median(await inTurn(10, () => side.probe()));
  const counters = async (): Promise<[number, number]> => [
    await metric(platform, 'mooring_wasted_compute_seconds_total', { endpoint }),
    await metric(platform, 'mooring_cancelled_total', { endpoint }),
  ];
  const [wastedBefore, cancelledBefore] = await counters();
  const freedMs: number[] = [];
  for (let turn = 0; turn < count; turn += 1) {
    signal.throwIfAborted();
    const stage = stages[turn % stages.length] as Stage;
    // Those that keep the model busy stay and are answered.
    const busy = stage === 'queued' ? Array.from({ length: side.busy }, () => side.probe()) : [];
    await side.leave(stage, turn);
    if (stage === 'queued') await Promise.all(busy);
    freedMs.push(Math.max(0, (await side.probe()) - usual));
  }
  const isIdle = async (): Promise<boolean> => (await metric(platform, 'mooring_in_flight', { endpoint })) === 0;
  await until(
    isIdle,
    inFlightMs,
    signal,
    () => `calls of ${endpoint} are still in flight ${inFlightMs} ms after the last left`,
  );
  const [wasted, cancelled] = await counters();
  // An honest request takes hardly longer than its model.
  const asked = (count * usual) / 1_000;
  return {
    name: side.name,
    left: count,
    freedMs,
    wastedPercent: (100 * (wasted - wastedBefore)) / asked,
    cancelled: cancelled - cancelledBefore,
  };
}

async function restSide(platform: Platform): Promise<Side> {
  const folder = mkdtempSync(join(platform.data, 'yaml-'));
  writeFileSync(join(folder, 'score.py'), script);
  const more = [
    'instance_count: 1',
    `code_configuration: {code: ${folder}, scoring_script: score.py}`,
    'environment: {image: "mcr.microsoft.com/azureml/minimal:1"}',
    'environment_variables: {WORKER_COUNT: "2"}',
    limitsOf(8),
  ].join('\n');
  const key = await deploy(platform, 'waits', more, undefined);
  const address = new URL(platform.http).host;
  const path = '/endpoints/waits/score';
  const body = (bytes: number): Buffer =>
    Buffer.from(JSON.stringify(bytes > 0 ? { sleep: 0, bytes } : { sleep: sleepMs / 1_000 }));
  const leaving = (stage: Stage): Leaving => {
    return { address, key, path, stage, body: body(stage === 'answering' ? largeBytes : 0) };
  };
  return {
    name: 'REST',
    endpoint: 'waits',
    busy: 2,
    leave: (stage) => leaveRest(leaving(stage)),
    probe: () => probeRest(platform.http + path, key, body(0)),
  };
}

async function grpcSide(platform: Platform): Promise<Side> {
  // One at a time, so that a second one waits.
  const heavyKey = await deploy(platform, 'heavy', `instance_count: 1\n${limitsOf(1)}`, join(models, 'heavy.onnx'));
  const largeKey = await deploy(
    platform,
    'large',
    `instance_count: 1\n${limitsOf(8)}`,
    join(models, 'huge-output.onnx'),
  );
  const floats = (values: readonly number[]): Buffer => Buffer.from(new Float32Array(values).buffer);
  const heavy = inferRequest('heavy', [{ name: 'x', datatype: 'FP32', shape: [1, 4], raw: floats([1, 2, 3, 4]) }]);
  const count = Buffer.from(new BigInt64Array([BigInt(largeBytes / 4)]).buffer);
  const large = inferRequest('large', [
    { name: 'value', datatype: 'FP32', shape: [1], raw: floats([7]) },
    { name: 'n', datatype: 'INT64', shape: [1], raw: count },
  ]);
  const path = '/inference.GRPCInferenceService/ModelInfer';
  const leaving = (stage: Stage): Leaving => {
    const isLarge = stage === 'answering';
    return { address: platform.grpc, path, stage, key: isLarge ? largeKey : heavyKey, body: isLarge ? large : heavy };
  };
  return {
    name: 'gRPC',
    endpoint: 'heavy',
    busy: 1,
    leave: (stage, turn) => leaveGrpc(leaving(stage), Math.floor(turn / stages.length) % 2 === 0),
    probe: () => probeGrpc(platform.grpc, path, heavyKey, heavy),
  };
}

interface Input {
  name: string;
  datatype: string;
  shape: number[];
  raw: Buffer;
}

function inferRequest(modelName: string, inputs: readonly Input[]): Buffer {
  const request = ModelInferRequest.fromPartial({
    modelName,
    inputs: inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
    rawInputContents: inputs.map(({ raw }) => raw),
  });
  return Buffer.from(ModelInferRequest.encode(request).finish());
}

async function deploy(platform: Platform, name: string, more: string, model: string | undefined): Promise<string> {
  const file = join(mkdtempSync(join(platform.data, 'yaml-')), 'file.yml');
  writeFileSync(file, `name: ${name}\nauth_mode: key\n`);
  await platform.mooring('online-endpoint', 'create', '-f', file);
  writeFileSync(file, yamlOf(name, 'blue', more, model));
  await platform.mooring('online-deployment', 'create', '-f', file, '--all-traffic');
  return platform.key(name, 'primaryKey');
}

async function inTurn<T>(count: number, one: () => Promise<T>): Promise<T[]> {
  const all: T[] = [];
  for (let n = 0; n < count; n += 1) all.push(await one());
  return all;
}

/** Processes that hold more than they did, in words. */
export function leaksOf({ before, after }: DisconnectFigures): string[] {
  return before.flatMap(({ name, pid, descriptors, rssMib }) => {
    const now = after.find((one) => one.pid === pid);
    if (now === undefined) return [`${name} was replaced`];
    const more = [now.descriptors - descriptors, now.rssMib - rssMib] as const;
    if (more[0] <= descriptorsMax && more[1] <= rssMaxMib) return [];
    return [`${name}: ${more[0]} descriptors and ${more[1].toFixed(0)} MiB more than before`];
  });
}

export const disconnectsProgram: Program = {
  name: 'disconnects',
  about:
    'callers leave at every stage of a request, over REST and gRPC (--count 1000): what is freed, wasted and leaked',
  run: async ({ count }, signal) => {
    const figures = await disconnects(count, signal);
    for (const { name, left, freedMs, wastedPercent, cancelled } of figures.sides) {
      figure(
        `disconnects ${name}: ${left} left at ${stages.length} stages, ${cancelled} counted as cancelled, slots freed after ` +
          `p50 ${median(freedMs).toFixed(1)} ms, p99 ${quantile(freedMs, 0.99).toFixed(1)} ms, longest ` +
          `${Math.max(...freedMs).toFixed(1)} ms, wasted compute ${wastedPercent.toFixed(1)} % of what they asked for`,
      );
    }
    const leaks = leaksOf(figures);
    const states = figures.after.map(({ name, pid, rssMib, descriptors }) => {
      const was = figures.before.find((one) => one.pid === pid);
      return `${name} ${descriptors - (was?.descriptors ?? 0)} descriptors ${(rssMib - (was?.rssMib ?? 0)).toFixed(1)} MiB`;
    });
    figure(`disconnects: in flight 0 again; more than before: ${states.join(', ')}`);
    for (const leak of leaks) figure(`  ${leak}`);
    return leaks.length === 0;
  },
};
