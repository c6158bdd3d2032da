/**
 * `node libs/scoring-stream/src/transport.bench.ts`: CPU of the codec and of a whole hop (client and server in this process,
 * unix socket). The numbers are in docs/adr/0008-scoring-stream.md; compare ratios, not machines.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { ScoreRequest, ScoreResponse } from '@mooring/contracts/scoring';
import { pino } from 'pino';
import { openScoringStream, reply, serveScoringStream } from './index.ts';
import { decodeRequest, encodeRequest } from './request-message.ts';
import { decodeResponse, encodeResponse } from './response-message.ts';
import { call } from './testing.ts';

const never = new AbortController().signal;

function usPerRun(runs: number, body: () => void): number {
  for (let n = 0; n < Math.min(runs, 2_000); n += 1) body();
  const from = process.cpuUsage();
  for (let n = 0; n < runs; n += 1) body();
  const used = process.cpuUsage(from);
  return (used.user + used.system) / runs;
}

function codec(bodyBytes: number, runs: number): void {
  const sent = call({
    deployment: 'luca',
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    body: Buffer.alloc(bodyBytes, 7),
  });
  const answer = reply({
    status: 200,
    contentType: 'application/json',
    deployment: 'luca',
    instanceId: 'cars-luca-1',
    pick: 'weight',
    body: sent.body,
  });
  const lean = usPerRun(runs, () => {
    decodeRequest(encodeRequest([{ id: 77, call: sent, deadlineMs: 5_000 }], [], false));
    decodeResponse(encodeResponse([{ id: 77, reply: answer }], {}));
  });
  const generated = usPerRun(runs, () => {
    const request = { calls: [{ id: 77, ...sent }], cancels: [], chunks: [], readsChunks: false };
    ScoreRequest.decode(Buffer.from(ScoreRequest.encode(request).finish()));
    const response = {
      hello: undefined,
      replies: [{ id: 77, ...answer }],
      credit: undefined,
      drain: undefined,
      abandoned: undefined,
      chunks: [],
    };
    ScoreResponse.decode(Buffer.from(ScoreResponse.encode(response).finish()));
  });
  process.stdout.write(
    `codec, call + reply, body ${bodyBytes} B: lean ${lean.toFixed(1)} us, generated ${generated.toFixed(1)} us\n`,
  );
}

async function hop(inFlight: number, bodyBytes: number, total: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const address = `unix:${folder}/s.sock`;
  const log = pino({ enabled: false });
  const port = { score: async (received: { body: Buffer }) => reply({ status: 200, body: received.body }) };
  const stream = serveScoringStream({ port, credits: 1024, wantsHeaders: false, instanceId: 'bench', log });
  const server = new Server();
  server.addService(stream.definition, stream.implementation);
  await new Promise<void>((done) => server.bindAsync(address, ServerCredentials.createInsecure(), () => done()));
  const client = openScoringStream({ address, log });
  await client.whenReady(AbortSignal.timeout(5_000));
  const sent = call({ body: Buffer.alloc(bodyBytes) });
  const run = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n += 1) await client.score(sent, never);
  };
  const runAll = (count: number): Promise<void[]> =>
    Promise.all(Array.from({ length: inFlight }, () => run(Math.ceil(count / inFlight))));
  await runAll(3_000);
  const cpu = process.cpuUsage();
  const from = performance.now();
  await runAll(total);
  const used = process.cpuUsage(cpu);
  const elapsedS = (performance.now() - from) / 1_000;
  const us = (used.user + used.system) / total;
  process.stdout.write(
    `hop, ${inFlight} in flight, body ${bodyBytes} B: ${us.toFixed(1)} us CPU (both sides), ${Math.round(total / elapsedS)}/s\n`,
  );
  await client.close(AbortSignal.abort());
  server.forceShutdown();
  rmSync(folder, { recursive: true, force: true });
}

codec(200, 100_000);
codec(100_000, 10_000);
codec(10 * 2 ** 20, 50);
for (const inFlight of [1, 16, 64]) await hop(inFlight, 200, 30_000);
await hop(16, 100_000, 5_000);
