/**
 * `node libs/grpc-server/src/echo.bench.ts [repeats]`: one unary call with a message of an iris request's size, answered by
 * grpc-js, by the least that node:http2 allows, and by this server; bare, and as the router uses it (reads metadata, sends
 * two fields back). Clients, in turn: grpc-js in this process and, where Go can build it, ghz; 8 calls in flight on one
 * connection. Prints CPU of the server's process per call. The numbers are in docs/adr; compare ratios, not machines.
 */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  Client,
  credentials,
  Metadata,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { service, startGrpcServer, unary } from '@mooring/rpc';
import { pino } from 'pino';
import { startGrpcServer as startLean } from './index.ts';
import { goProgram } from './testing/programs.ts';

const log = pino({ enabled: false });
const path = '/bench.Echo/Echo';
const message = Buffer.concat([Buffer.from([0x0a, 147]), Buffer.from([1]), Buffer.alloc(147, 7)]);
const inFlight = 8;
const calls = 20_000;
const same = (bytes: Buffer): Buffer => bytes;
const codec = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
const definition: ServiceDefinition = { echo: { path, requestStream: false, responseStream: false, ...codec } };

const bare: UntypedServiceImplementation = {
  echo: (call: { request: Buffer }, reply: (error: null, value: Buffer) => void) => reply(null, call.request),
};
const asTheRouter: UntypedServiceImplementation = {
  echo: ((call, reply) => {
    const names = [
      'authorization',
      'azureml-model-deployment',
      'x-request-id',
      'traceparent',
      'x-ms-client-request-id',
    ];
    for (const name of names) call.metadata.get(name);
    unary(log, async (request: Buffer) => {
      call.sendMetadata(Metadata.fromHttp2Headers({ 'azureml-model-deployment': 'blue', 'x-ms-request-id': '4711' }));
      return request;
    })(call, reply);
  }) satisfies ReturnType<typeof unary<Buffer, Buffer>>,
};

async function serveHttp2(): Promise<string> {
  const trailers = { 'grpc-status': '0' };
  const head = { ':status': 200, 'content-type': 'application/grpc' };
  const server = createServer({ settings: { initialWindowSize: 1024 * 1024 } });
  server.on('stream', (stream) => {
    // As soon as the message is there: it does not wait for the stream's end, nor check anything.
    stream.on('data', (chunk: Buffer) => {
      stream.respond(head, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers(trailers));
      stream.end(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function serve(name: string): Promise<string> {
  if (name === 'node:http2') return serveHttp2();
  const services = [service(definition, name.endsWith('router') ? asTheRouter : bare)];
  const options = { address: '127.0.0.1:0', services, log, ready: () => true };
  return (name.startsWith('grpc-js') ? await startGrpcServer(options) : await startLean(options)).address;
}

const [role, name] = process.argv.slice(2);
if (role === 'serve' && name !== undefined) {
  process.send?.(await serve(name));
  let last = process.cpuUsage();
  process.on('message', () => {
    const used = process.cpuUsage(last);
    last = process.cpuUsage();
    process.send?.(used.user + used.system);
  });
} else await compare(Number(role ?? 5));

async function loadByGrpcJs(address: string): Promise<void> {
  const client = new Client(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
  let left = calls;
  const one = (): Promise<void> =>
    new Promise((resolve, reject) =>
      client.makeUnaryRequest(path, same, same, message, (error, answer) => {
        if (error !== null || answer?.length !== message.length) reject(error ?? new Error('a wrong answer'));
        else resolve();
      }),
    );
  const loop = async (): Promise<void> => {
    for (; left > 0; left -= 1) await one();
  };
  await Promise.all(Array.from({ length: inFlight }, loop));
  client.close();
}

async function loadByGhz(ghz: string, proto: string, address: string): Promise<void> {
  const data = JSON.stringify({ body: message.subarray(3).toString('base64') });
  const args = ['--insecure', '--proto', proto, '--call', 'bench.Echo/Echo', '-d', data, '-O', 'json'];
  const child = spawn(ghz, [...args, '-c', String(inFlight), '-n', String(calls), address], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await new Promise((resolve) => child.once('close', resolve));
  const { statusCodeDistribution } = JSON.parse(output) as { statusCodeDistribution: Record<string, number> };
  if (statusCodeDistribution['OK'] !== calls) throw new Error(`ghz: ${JSON.stringify(statusCodeDistribution)}`);
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

async function compare(repeats: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const proto = join(folder, 'echo.proto');
  const text =
    'syntax = "proto3"; package bench; message M { bytes body = 1; } service Echo { rpc Echo(M) returns (M); }';
  writeFileSync(proto, text);
  const ghz = await goProgram('github.com/bojand/ghz/cmd/ghz@v0.93.0');
  const loads: [string, (address: string) => Promise<void>][] = [['grpc-js client', loadByGrpcJs]];
  if (ghz !== undefined) loads.push(['ghz', (address) => loadByGhz(ghz, proto, address)]);
  const servers = await Promise.all(
    ['grpc-js', 'node:http2', 'lean', 'grpc-js, as the router', 'lean, as the router'].map(async (label) => {
      const child = fork(fileURLToPath(import.meta.url), ['serve', label]);
      return {
        label,
        child,
        address: await told<string>(child),
        cpu: new Map<string, number[]>(),
        rate: new Map<string, number[]>(),
      };
    }),
  );
  for (let repeat = -1; repeat < repeats; repeat += 1) {
    for (const [by, load] of loads) {
      for (const { child, address, cpu, rate } of servers) {
        child.send('reset');
        await told(child);
        const from = performance.now();
        await load(address);
        const elapsedS = (performance.now() - from) / 1_000;
        child.send('read');
        const us = (await told<number>(child)) / calls;
        // The first round warms up.
        if (repeat < 0) continue;
        cpu.set(by, [...(cpu.get(by) ?? []), us]);
        rate.set(by, [...(rate.get(by) ?? []), calls / elapsedS]);
      }
    }
  }
  for (const [by] of loads) {
    for (const { label, cpu, rate } of servers) {
      process.stdout.write(
        `${by} -> ${label}: ${spread(cpu.get(by), 1)} us CPU a call, ${spread(rate.get(by), 0)} calls/s\n`,
      );
    }
  }
  for (const { child } of servers) child.kill();
  rmSync(folder, { recursive: true });
}

function spread(values: readonly number[] = [], digits: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (q: number): string => (sorted[Math.floor(q * (sorted.length - 1))] ?? Number.NaN).toFixed(digits);
  return `${at(0.5)} (${at(0)} to ${at(1)})`;
}
