import { tmpdir } from 'node:os';
import { pino } from 'pino';
import { reply, type CallHead, type ScoreCall, type ScoreReply, type ScoringPort } from '@mooring/scoring-stream';
import { KeptRequests, type Tracing } from '@mooring/telemetry';
import { createGrpcJobs } from '../adapters/grpc-jobs.ts';
import { gatewayConfig } from '../config.ts';
import { Gateway } from '../gateway.ts';
import type { EndpointDirectory, EndpointEntry } from '../ports.ts';

export const key = 'k'.repeat(43);
export const bearer = { authorization: `Bearer ${key}` };

const endpoints: EndpointEntry[] = [
  {
    name: 'cars',
    deployments: [
      { name: 'martina', model: 'fern' },
      { name: 'luca', model: 'moss' },
    ],
  },
  { name: 'Iris', deployments: [{ name: 'blue', model: 'iris' }] },
];
const batchEndpoints: EndpointEntry[] = [{ name: 'Night', deployments: [{ name: 'luca', model: undefined }] }];
const keys: Record<string, string> = { cars: key, Iris: 'i'.repeat(43), Night: 'n'.repeat(43) };

function directoryOf(entries: readonly EndpointEntry[]): EndpointDirectory {
  return {
    find: (name) => entries.find((entry) => entry.name.toLowerCase() === name.toLowerCase()),
    all: () => entries,
  };
}

export type AccessLine = Record<string, unknown> & { stages: Record<string, number>; totalMs: number };

export interface TestGateway {
  gateway: Gateway;
  url: string;
  /** Every call that the port got. */
  calls: ScoreCall[];
  lines: AccessLine[];
  requests: KeptRequests;
  /** What the port answers next; an echo of the body until it is set. */
  answer: (call: ScoreCall, signal: AbortSignal) => Promise<ScoreReply>;
  /** What the port says to calls whose bodies are not here yet. */
  refusal: (head: CallHead) => ScoreReply | undefined;
  logged: string[];
  stop(): Promise<void>;
}

export const echo = async (call: ScoreCall): Promise<ScoreReply> =>
  reply({
    status: 200,
    contentType: call.contentType || 'application/json',
    body: call.body,
    deployment: call.deployment || 'martina',
    instanceId: 'i-1',
    pick: call.deployment === '' ? 'weight' : 'pin',
    inferenceHeaderLengthPlusOne: call.inferenceHeaderLengthPlusOne,
  });

const untraced: Tracing = {
  enabled: false,
  records: () => false,
  span: () => ({ traceparent: '', traceId: '', set: () => undefined, end: () => undefined }),
  shutdown: async () => undefined,
};

/**
 * A gateway on a free port with endpoints `cars` and `Iris`, batch endpoint `Night`, and a port that the test answers for. The batch
 * scheduler is at `jobsAddress`, or away.
 */
export async function startTestGateway(
  settings: Record<string, unknown> = {},
  tracing: Tracing = untraced,
  jobsAddress = `unix:${tmpdir()}/no-batch-scheduler.sock`,
): Promise<TestGateway> {
  const logged: string[] = [];
  const test: Omit<TestGateway, 'gateway' | 'url' | 'stop'> = {
    calls: [],
    lines: [],
    requests: new KeptRequests({ kept: 1_000, failedKept: 1_000 }),
    answer: echo,
    refusal: () => undefined,
    logged,
  };
  const port: ScoringPort = {
    score: (call, signal) => {
      test.calls.push(call);
      return test.answer(call, signal);
    },
    refusal: (head) => test.refusal(head),
  };
  const gateway = new Gateway({
    config: gatewayConfig.parse({ http: '127.0.0.1:0', domain: 'models.example.org', ...settings }),
    edge: { port, ready: () => true },
    directory: directoryOf(endpoints),
    batchEndpoints: directoryOf(batchEndpoints),
    batchJobs: createGrpcJobs(jobsAddress),
    gate: { opens: (endpoint, presented) => keys[endpoint] === presented },
    tracing,
    requests: test.requests,
    accessLog: {
      wanted: true,
      write: (line) => void test.lines.push(line as AccessLine),
      writeJson: (line) => void test.lines.push(JSON.parse(line) as AccessLine),
      close: async () => undefined,
    },
    log: pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) }),
    announce: async () => undefined,
    release: () => undefined,
  });
  await gateway.start();
  return Object.assign(test, {
    gateway,
    url: gateway.url,
    stop: () => gateway.stop(AbortSignal.timeout(2_000)),
  });
}

/** Resolves once `lines` has `count` access lines: they are written after the answer is out. */
export async function linesOf({ lines }: TestGateway, count: number): Promise<AccessLine[]> {
  const deadline = performance.now() + 3_000;
  while (lines.length < count) {
    if (performance.now() > deadline) throw new Error(`${lines.length} access lines after 3 s, not ${count}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return lines;
}
