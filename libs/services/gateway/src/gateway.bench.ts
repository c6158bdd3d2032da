/**
 * `node libs/services/gateway/src/gateway.bench.ts [repeats]` (needs wrk): a small JSON request through the gateway with all
 * that it does per request - key, routing, metrics, access log to a file - against a bare node:http server that parses and
 * writes the same JSON. The model's part is a port in the same process that answers with the body. Servers take turns; prints
 * requests/s and the server's CPU per request, at 1, 8 and 32 in flight. `varied`: each request has another trace id, as
 * callers that trace have; then no two heads are alike. `refusals`: the same gateway with a port that refuses. The numbers are in docs/adr; compare ratios, not machines.
 */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { keyVerifier } from '@mooring/credentials';
import { PlatformError } from '@mooring/errors';
import { failedReply, reply, type ScoringPort } from '@mooring/scoring-stream';
import { KeptRequests, startTracing } from '@mooring/telemetry';
import { openAccessLog } from './access-log.ts';
import { createGrpcJobs } from './adapters/grpc-jobs.ts';
import { createKeyGate } from './adapters/key-gate.ts';
import { gatewayConfig } from './config.ts';
import { Gateway } from './gateway.ts';

const key = 'k'.repeat(43);
const body = '{"inputs":[{"name":"input","datatype":"FP32","shape":[1,4],"data":[5.1,3.5,1.4,0.2]}]}';
const seconds = 2;
const varied = `
local n = 0
request = function()
  n = n + 1
  wrk.headers["traceparent"] = string.format("00-%032x-%016x-01", n, n)
  return wrk.format()
end`;

const log = pino({ enabled: false });

function serveNode(): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = JSON.stringify(JSON.parse(Buffer.concat(chunks).toString()));
      response.writeHead(200, { 'content-type': 'application/json' }).end(text);
    });
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}

const timing = { totalUs: 20, queueUs: 2, batchWaitUs: 1, preprocessUs: 4, computeUs: 10, postprocessUs: 3 };

const answers: ScoringPort = {
  score: async (call) =>
    reply({
      status: 200,
      contentType: 'application/json',
      body: call.body,
      timing,
      deployment: 'blue',
      rows: 1,
    }),
};
const refuses: ScoringPort = {
  score: async () =>
    failedReply(
      PlatformError.refusal('unavailable', 'DEADLINE_UNREACHABLE', 'no time', { retryAfterMs: 1_000 }),
      false,
    ),
};

async function serveGateway(folder: string, port: ScoringPort): Promise<string> {
  const slot = (text: string) => ({ ...keyVerifier(text, randomBytes(16)), sealed: '' });
  const record = { endpoint: 'iris', primary: slot(key), secondary: slot(`${key}x`) };
  const endpoint = { name: 'iris', deployments: [{ name: 'blue', model: 'iris' }] };
  const gateway = new Gateway({
    config: gatewayConfig.parse({ http: '127.0.0.1:0' }),
    edge: { port },
    directory: { find: (name) => (name === 'iris' ? endpoint : undefined), all: () => [endpoint] },
    batchEndpoints: { find: () => undefined, all: () => [] },
    batchJobs: createGrpcJobs(`unix:${folder}/no-batch-scheduler.sock`),
    gate: createKeyGate({ get: () => record }),
    tracing: await startTracing('bench', {}),
    requests: new KeptRequests({ kept: 2_000, failedKept: 2_000 }),
    accessLog: openAccessLog(join(folder, `access-${process.pid}.log`), log),
    log,
    announce: async () => undefined,
    release: () => undefined,
  });
  await gateway.start();
  return gateway.url;
}

const [role, folder = ''] = process.argv.slice(2);
const servers: Readonly<Record<string, () => Promise<string>>> = {
  'serve-node': serveNode,
  'serve-gateway': () => serveGateway(folder, answers),
  'serve-refusals': () => serveGateway(folder, refuses),
};
const serve = servers[role ?? ''];
if (serve !== undefined) {
  process.send?.(await serve());
  let last = process.cpuUsage();
  process.on('message', () => {
    const used = process.cpuUsage(last);
    last = process.cpuUsage();
    process.send?.(used.user + used.system);
  });
  process.on('disconnect', () => process.exit());
} else await compare(Number(role ?? 5));

interface Measured {
  rate: number[];
  cpuUs: number[];
}

async function compare(repeats: number): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'bench-'));
  const scripts = [
    { label: 'same head', script: writeScript(work, 'same', '') },
    { label: 'varied', script: writeScript(work, 'varied', varied) },
  ];
  const running = await Promise.all(
    Object.keys(servers).map(async (name) => {
      const child = fork(fileURLToPath(import.meta.url), [name, work]);
      return { name, child, url: await told<string>(child), measured: new Map<string, Measured>() };
    }),
  );
  for (let repeat = -1; repeat < repeats; repeat += 1) {
    for (const { label, script } of scripts) {
      for (const inFlight of [1, 8, 32]) {
        for (const { name, child, url, measured } of running) {
          child.send('reset');
          await told(child);
          const requests = await load(script, url, inFlight, name === 'serve-refusals');
          child.send('read');
          const cpuUs = (await told<number>(child)) / requests;
          // The first round warms up.
          if (repeat < 0) continue;
          const at = `${label}, ${inFlight} in flight`;
          const so = measured.get(at) ?? { rate: [], cpuUs: [] };
          so.rate.push(requests / seconds);
          so.cpuUs.push(cpuUs);
          measured.set(at, so);
        }
      }
    }
  }
  const [bare] = running;
  for (const { name, measured } of running) {
    for (const [at, { rate, cpuUs }] of measured) {
      const ratio = median(rate) / median(bare?.measured.get(at)?.rate ?? []);
      process.stdout.write(
        `${name.slice(6).padEnd(8)} ${at}: ${Math.round(median(rate))}/s, ${median(cpuUs).toFixed(1)} us CPU, ${ratio.toFixed(2)}x\n`,
      );
    }
  }
  for (const { child } of running) child.disconnect();
  rmSync(work, { recursive: true });
}

function writeScript(work: string, name: string, more: string): string {
  const file = join(work, `${name}.lua`);
  const text = `wrk.method = "POST"
wrk.body = '${body}'
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer ${key}"
${more}`;
  writeFileSync(file, text);
  return file;
}

/** Requests answered in `seconds`, with 200 unless they are to be `refused`. */
async function load(script: string, url: string, inFlight: number, refused: boolean): Promise<number> {
  const args = ['-t1', `-c${inFlight}`, `-d${seconds}s`, '-s', script, `${url}/endpoints/iris/score`];
  const wrk = spawn('wrk', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  wrk.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await new Promise((resolve, reject) => wrk.once('close', resolve).once('error', reject));
  if (/Non-2xx/.test(output) !== refused || /Socket errors/.test(output)) throw new Error(output);
  return Number(/(\d+) requests in/.exec(output)?.[1]);
}

function told<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new Error('the server has ended'));
    child.once('exit', gone);
    child.once('message', (value) => {
      child.off('exit', gone);
      resolve(value as T);
    });
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
