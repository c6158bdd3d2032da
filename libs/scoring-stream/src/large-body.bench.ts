/**
 * `node libs/scoring-stream/src/large-body.bench.ts [MiB] [rounds]`: what a large body, to a server in another process and
 * back, adds to small calls on the same stream. Windows with and without it alternate. The figures are in
 * docs/adr/0008-scoring-stream.md.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGrpcServer } from '@mooring/rpc';
import { pino } from 'pino';
import { openScoringStream, reply, serveScoringStream, type ScoringStream } from './index.ts';
import { call } from './testing.ts';

const log = pino({ enabled: false });
const never = new AbortController().signal;
const windowMs = 1_000;
const everyMs = 2;

async function serve(address: string): Promise<void> {
  const port = {
    score: async ({ body, query }: { body: Buffer; query: string }) =>
      reply({ status: 200, body: query === 'back' ? body : body.subarray(0, 200) }),
  };
  const stream = serveScoringStream({ port, credits: 64, wantsHeaders: false, instanceId: 'bench', log });
  await startGrpcServer({ address, services: [stream], log, ready: () => true });
  process.send?.('ready');
  process.once('disconnect', () => process.exit());
}

/** Latencies of small calls, one due every two milliseconds, counted from when it was due. */
async function smallCalls(client: ScoringStream): Promise<number[]> {
  const small = call({ body: Buffer.alloc(200) });
  const from = performance.now();
  const latencies: number[] = [];
  const open: Promise<unknown>[] = [];
  for (let n = 0; n * everyMs < windowMs; n += 1) {
    const dueMs = from + n * everyMs;
    if (performance.now() < dueMs)
      await new Promise((resolve) => setTimeout(resolve, Math.ceil(dueMs - performance.now())));
    open.push(client.score(small, never).then(() => latencies.push(performance.now() - dueMs)));
  }
  await Promise.all(open);
  return latencies;
}

async function beside(
  client: ScoringStream,
  body: Buffer,
  query: string,
): Promise<{ latencies: number[]; bodies: number }> {
  let over = false;
  let bodies = 0;
  const large = (async () => {
    for (; !over; bodies += 1) await client.score(call({ body, query, deadlineMs: 60_000 }), never);
  })();
  const latencies = await smallCalls(client);
  over = true;
  await large;
  return { latencies, bodies };
}

function quantile(values: readonly number[], q: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))] ?? Number.NaN;
}

const median = (values: readonly number[]): number => quantile(values, 0.5);

async function measure(mebibytes: number, rounds: number, query: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const address = `unix:${folder}/s.sock`;
  const server = fork(import.meta.filename, ['serve', address]);
  await once(server, 'message');
  const client = openScoringStream({ address, log });
  await client.whenReady(AbortSignal.timeout(10_000));
  const body = Buffer.alloc(mebibytes * 2 ** 20, 1);
  await beside(client, body, query);
  const rows: { alone: number[]; beside: number[]; bodies: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const alone = await smallCalls(client);
    const { latencies, bodies } = await beside(client, body, query);
    rows.push({ alone, beside: latencies, bodies });
  }
  process.stdout.write(query === 'back' ? 'there and back\n' : 'there\n');
  for (const q of [0.5, 0.95, 0.99]) {
    const [alone, with50] = [rows.map((row) => quantile(row.alone, q)), rows.map((row) => quantile(row.beside, q))];
    process.stdout.write(
      `small calls p${q * 100}: alone ${median(alone).toFixed(2)} ms, beside bodies of ${mebibytes} MiB ` +
        `${median(with50).toFixed(2)} ms (${Math.min(...with50).toFixed(2)} to ${Math.max(...with50).toFixed(2)}), ` +
        `added ${(median(with50) - median(alone)).toFixed(2)} ms\n`,
    );
  }
  const each = rows.map((row) => windowMs / row.bodies);
  process.stdout.write(`one body: ${median(each).toFixed(0)} ms; medians of ${rounds} rounds\n`);
  await client.close(AbortSignal.abort());
  server.disconnect();
  await once(server, 'exit');
  rmSync(folder, { recursive: true, force: true });
}

const [first = '50', second = '5'] = process.argv.slice(2);
if (first === 'serve') await serve(second);
else for (const way of ['', 'back']) await measure(Number(first), Number(second), way);
