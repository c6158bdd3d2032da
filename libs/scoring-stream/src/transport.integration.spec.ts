import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, makeGenericClientConstructor, Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { Abandoned } from '@mooring/contracts/scoring';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { messageBytesMax, openScoringStream, reply, serveScoringStream } from './index.ts';
import type { ScoreCall, ScoreReply, ScoringPort, ScoringStream } from './index.ts';
import { rawScoringService } from './method.ts';
import { encodeRequest } from './request-message.ts';
import { decodeResponse } from './response-message.ts';
import { call } from './testing.ts';

const log = pino({ enabled: false });
const never = new AbortController().signal;
const within = (ms: number): AbortSignal => AbortSignal.timeout(ms);

interface Pending {
  call: ScoreCall;
  signal: AbortSignal;
  answer: (fields?: Partial<ScoreReply>) => void;
}

/** A port whose answers the test gives by hand. */
class HeldPort implements ScoringPort {
  readonly pending: Pending[] = [];
  #waiters: (() => void)[] = [];

  score(received: ScoreCall, signal: AbortSignal): Promise<ScoreReply> {
    return new Promise((resolve) => {
      this.pending.push({
        call: received,
        signal,
        answer: (fields = {}) => resolve(reply({ status: 200, body: received.body, ...fields })),
      });
      for (const wake of this.#waiters.splice(0)) wake();
    });
  }

  async waitFor(count: number): Promise<void> {
    while (this.pending.length < count) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }
}

const echo: ScoringPort = {
  score: async (received) => reply({ status: 200, body: received.body, headers: received.headers }),
};

let folder: string;
let address: string;
const cleanups: (() => Promise<void> | void)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stream-'));
  address = `unix:${folder}/s.sock`;
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  rmSync(folder, { recursive: true, force: true });
});

async function serve(port: ScoringPort, options: { credits?: number; wantsHeaders?: boolean; at?: string } = {}) {
  const stream = serveScoringStream({
    port,
    credits: options.credits ?? 64,
    wantsHeaders: options.wantsHeaders ?? false,
    instanceId: 'i-1',
    log,
  });
  const server = new Server({
    'grpc.max_receive_message_length': messageBytesMax,
    'grpc.max_send_message_length': messageBytesMax,
  });
  server.addService(stream.definition, stream.implementation);
  const bound = await new Promise<number>((resolve, reject) =>
    server.bindAsync(options.at ?? address, ServerCredentials.createInsecure(), (error, number) =>
      error ? reject(error) : resolve(number),
    ),
  );
  cleanups.push(() => server.forceShutdown());
  return { stream, server, bound };
}

async function connect(at = address, onAbandoned = (_sum: Abandoned): void => {}): Promise<ScoringStream> {
  const client = openScoringStream({ address: at, log, backoffMaxMs: 50, onAbandoned });
  cleanups.push(() => client.close(AbortSignal.abort()));
  await client.whenReady(within(5_000));
  return client;
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('the condition did not come true in 5 s');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('the scoring stream', () => {
  it('carries the whole call and the whole reply', async () => {
    const port = new HeldPort();
    await serve(port, { wantsHeaders: true });
    const client = await connect();
    expect(client.hello).toEqual({
      credits: 64,
      wantsHeaders: true,
      instanceId: 'i-1',
      parallel: 0,
      readsChunks: true,
    });
    const sent = call({
      body: Buffer.from('wagon'),
      headers: [{ name: 'x-one', value: '1' }],
      traceparent: '00-a-b-01',
      query: 'a=1',
    });
    const answer = client.score(sent, never);
    await port.waitFor(1);
    expect(port.pending[0]?.call).toMatchObject({ ...sent, deadlineMs: expect.any(Number) });
    expect(port.pending[0]?.call.deadlineMs).toBeGreaterThan(9_000);
    port.pending[0]?.answer({ rows: 3, deployment: 'luca', batchId: 'b', contentType: 'text/plain', started: true });
    expect(await answer).toMatchObject({
      status: 200,
      rows: 3,
      deployment: 'luca',
      batchId: 'b',
      body: Buffer.from('wagon'),
    });
  });

  it('answers out of order, each to its own call', async () => {
    const port = new HeldPort();
    await serve(port);
    const client = await connect();
    const answers = Array.from({ length: 20 }, (_unused, n) =>
      client.score(call({ body: Buffer.from(`call ${n}`) }), never),
    );
    await port.waitFor(20);
    for (const pending of port.pending.toReversed()) pending.answer();
    expect((await Promise.all(answers)).map((a) => a.body.toString())).toEqual(
      answers.map((_unused, n) => `call ${n}`),
    );
    expect(client.openCalls).toBe(0);
  });

  it("keeps callers' headers at home when the server does not want them", async () => {
    await serve(echo);
    const client = await connect();
    expect((await client.score(call({ headers: [{ name: 'a', value: 'b' }] }), never)).headers).toEqual([]);
  });

  it('answers 10,000 calls right and keeps no id', async () => {
    const { stream } = await serve(echo, { credits: 100 });
    const client = await connect();
    let wrong = 0;
    const runner = async (first: number): Promise<void> => {
      for (let n = first; n < 10_000; n += 50) {
        const answer = await client.score(call({ body: Buffer.from(`body ${n}`) }), never);
        if (answer.body.toString() !== `body ${n}`) wrong += 1;
      }
    };
    await Promise.all(Array.from({ length: 50 }, (_unused, first) => runner(first)));
    expect(wrong).toBe(0);
    expect(client.openCalls).toBe(0);
    expect(stream.openCalls()).toBe(0);
  });

  it('carries bodies of 50 MiB both ways, next to small ones', async () => {
    await serve(echo);
    const client = await connect();
    const large = Buffer.alloc(50 * 2 ** 20);
    for (let at = 0; at < large.length; at += 4096) large.writeUInt32LE(at, at);
    const [big, small] = await Promise.all([
      client.score(call({ body: large, deadlineMs: 30_000 }), never),
      client.score(call({ body: Buffer.from('small'), deadlineMs: 30_000 }), never),
    ]);
    expect(big.body.equals(large)).toBe(true);
    expect(small.body.toString()).toBe('small');
  });

  it('refuses a body that no message can carry', async () => {
    await serve(echo);
    const client = await connect();
    const answer = await client.score(call({ body: Buffer.alloc(128 * 2 ** 20 + 1) }), never);
    expect(answer).toMatchObject({ errorCode: 'too_large', started: false });
  });

  it('works over TCP', async () => {
    const { bound } = await serve(echo, { at: '127.0.0.1:0' });
    const client = await connect(`127.0.0.1:${bound}`);
    expect((await client.score(call({ body: Buffer.from('tcp') }), never)).body.toString()).toBe('tcp');
  });
});

describe('cancelling', () => {
  it('reaches the port, frees the credit, and the late answer goes nowhere', async () => {
    const port = new HeldPort();
    await serve(port, { credits: 1 });
    const client = await connect();
    const gone = new AbortController();
    const first = client.score(call(), gone.signal);
    await port.waitFor(1);
    gone.abort();
    expect(await first).toMatchObject({ errorCode: 'cancelled', started: true });
    await until(() => port.pending[0]?.signal.aborted === true);
    port.pending[0]?.answer({ body: Buffer.from('too late') });
    const second = client.score(call({ body: Buffer.from('second') }), never);
    await port.waitFor(2);
    port.pending[1]?.answer();
    expect((await second).body.toString()).toBe('second');
  });

  it('frees the credit for a call that leaves in the same message', async () => {
    const port = new HeldPort();
    await serve(port, { credits: 1 });
    const client = await connect();
    const gone = new AbortController();
    void client.score(call(), gone.signal);
    await port.waitFor(1);
    gone.abort();
    const next = client.score(call({ body: Buffer.from('next') }), never);
    await port.waitFor(2);
    port.pending[1]?.answer();
    expect((await next).body.toString()).toBe('next');
  });

  it('before the frame was written says that nothing was started', async () => {
    const port = new HeldPort();
    await serve(port);
    const client = await connect();
    const gone = new AbortController();
    const answer = client.score(call(), gone.signal);
    gone.abort();
    expect(await answer).toMatchObject({ errorCode: 'cancelled', started: false });
    const next = client.score(call({ body: Buffer.from('next') }), never);
    await port.waitFor(1);
    expect(port.pending).toHaveLength(1);
    port.pending[0]?.answer();
    expect((await next).body.toString()).toBe('next');
  });

  it('tells one of the clients, once, what calls without an answer came to', async () => {
    const { stream } = await serve(echo);
    stream.noteAbandoned({ queued: 1, running: 0, wastedUs: 0 });
    const told: Abandoned[] = [];
    await connect(address, (sum) => told.push(sum));
    const other = await connect(address, (sum) => told.push(sum));
    await until(() => told.length === 1);
    stream.noteAbandoned({ queued: 2, running: 1, wastedUs: 300 });
    stream.noteAbandoned({ queued: 0, running: 2, wastedUs: 400 });
    await until(() => told.length === 2);
    await other.score(call(), never);
    expect(told).toEqual([
      { queued: 1, running: 0, wastedUs: 0 },
      { queued: 2, running: 3, wastedUs: 700 },
    ]);
  });

  it('aborts what runs when the client goes away', async () => {
    const port = new HeldPort();
    const { stream } = await serve(port);
    const client = await connect();
    const answer = client.score(call(), never);
    await port.waitFor(1);
    await client.close(AbortSignal.abort());
    expect(await answer).toMatchObject({ errorCode: 'unavailable', errorReason: 'STREAM_CLOSED', started: true });
    await until(() => port.pending[0]?.signal.aborted === true && stream.streams() === 0);
  });
});

describe('deadlines', () => {
  it('answers by itself when the peer does not, and cancels there', async () => {
    const port = new HeldPort();
    await serve(port);
    const client = await connect();
    const from = performance.now();
    const answer = await client.score(call({ deadlineMs: 30 }), never);
    expect(answer).toMatchObject({ errorCode: 'deadline_exceeded', errorReason: 'SCORING_TIMEOUT', started: true });
    expect(performance.now() - from).toBeLessThan(3_000);
    await until(() => port.pending[0]?.signal.aborted === true);
    expect(client.openCalls).toBe(0);
  });
});

describe('credits', () => {
  it('keeps calls beyond the credits out at once, unstarted', async () => {
    const port = new HeldPort();
    await serve(port, { credits: 2 });
    const client = await connect();
    const open = [client.score(call(), never), client.score(call(), never)];
    expect(await client.score(call(), never)).toMatchObject({
      errorCode: 'resource_exhausted',
      errorReason: 'QUEUE_FULL',
      started: false,
    });
    await port.waitFor(2);
    for (const pending of port.pending) pending.answer();
    await Promise.all(open);
    const next = client.score(call(), never);
    await port.waitFor(3);
    port.pending[2]?.answer();
    expect(await next).toMatchObject({ status: 200 });
  });

  it('follows a change of the credits', async () => {
    const { stream } = await serve(echo, { credits: 2 });
    const client = await connect();
    stream.setCredits(7);
    await until(() => client.credits === 7);
  });

  it('are kept by the server against a client that does not', async () => {
    const port = new HeldPort();
    await serve(port, { credits: 2 });
    const raw = rawClient();
    const calls = [1, 2, 3].map((id) => ({ id, call: call(), deadlineMs: 1_000 }));
    raw.write(encodeRequest(calls, [], false));
    await until(() => raw.replies.length === 1);
    expect(raw.replies[0]).toMatchObject({ id: 3, errorReason: 'QUEUE_FULL', started: false });
    expect(port.pending).toHaveLength(2);
  });
});

describe('a server with a bad client', () => {
  it('refuses an id that is open already and leaves the open call alone', async () => {
    const port = new HeldPort();
    await serve(port);
    const raw = rawClient();
    raw.write(encodeRequest([{ id: 9, call: call({ body: Buffer.from('first') }), deadlineMs: 0 }], [], false));
    raw.write(encodeRequest([{ id: 9, call: call(), deadlineMs: 0 }], [], false));
    await until(() => raw.replies.length === 1);
    expect(raw.replies[0]).toMatchObject({ id: 9, errorReason: 'DUPLICATE_CALL_ID', started: false });
    expect(port.pending).toHaveLength(1);
    port.pending[0]?.answer();
    await until(() => raw.replies.length === 2);
    expect(raw.replies[1]?.body.toString()).toBe('first');
  });

  it('ends the stream with INVALID_ARGUMENT on what is not a frame, and serves others', async () => {
    await serve(echo);
    const client = await connect();
    const raw = rawClient();
    raw.write(Buffer.from([0x0a, 0xff, 0xff, 0xff, 0x7f]));
    await until(() => raw.status !== undefined);
    expect(raw.status).toBe(status.INVALID_ARGUMENT);
    expect(await client.score(call(), never)).toMatchObject({ status: 200 });
  });

  it('ignores a cancel for an id that it does not know', async () => {
    await serve(echo);
    const raw = rawClient();
    raw.write(encodeRequest([], [1, 2, 3], false));
    raw.write(encodeRequest([{ id: 1, call: call(), deadlineMs: 0 }], [], false));
    await until(() => raw.replies.length === 1);
    expect(raw.replies[0]).toMatchObject({ id: 1, status: 200 });
  });

  it('turns a port that rejects into a failed reply', async () => {
    await serve({ score: () => Promise.reject(new Error('secret detail')) });
    const client = await connect();
    const answer = await client.score(call(), never);
    expect(answer).toMatchObject({ errorCode: 'internal', started: true });
    expect(answer.errorMessage).not.toContain('secret');
  });
});

describe('draining', () => {
  it('finishes what is open, refuses what is new, and lets the server stop', async () => {
    const port = new HeldPort();
    const { stream, server } = await serve(port);
    const client = await connect();
    const open = client.score(call({ body: Buffer.from('open') }), never);
    await port.waitFor(1);
    stream.drain();
    await until(() => client.state === 'draining');
    expect(await client.score(call(), never)).toMatchObject({ errorReason: 'INSTANCE_DRAINING', started: false });
    const stopped = new Promise<void>((resolve, reject) =>
      server.tryShutdown((error) => (error ? reject(error) : resolve())),
    );
    port.pending[0]?.answer();
    expect((await open).body.toString()).toBe('open');
    await stopped;
  });

  it('refuses calls that crossed the drain on the wire as not started', async () => {
    const port = new HeldPort();
    const { stream } = await serve(port);
    const client = await connect();
    stream.drain();
    const crossing = Array.from({ length: 10 }, () => client.score(call(), never));
    for (const answer of await Promise.all(crossing))
      expect(answer).toMatchObject({ errorReason: 'INSTANCE_DRAINING', started: false });
    expect(port.pending).toHaveLength(0);
  });

  it('lets a client close only after its open calls are answered', async () => {
    const port = new HeldPort();
    await serve(port);
    const client = await connect();
    const open = client.score(call({ body: Buffer.from('open') }), never);
    await port.waitFor(1);
    const closed = client.close(within(5_000));
    expect(await client.score(call(), never)).toMatchObject({ started: false });
    port.pending[0]?.answer();
    await closed;
    expect((await open).status).toBe(200);
  });
});

describe('a lost server', () => {
  it('answers sent calls as started and comes back by itself', async () => {
    const port = new HeldPort();
    const first = await serve(port);
    const client = await connect();
    const states: string[] = [];
    client.onStateChange((state) => states.push(state));
    const sent = client.score(call(), never);
    await port.waitFor(1);
    const unsent = client.score(call(), never);
    first.server.forceShutdown();
    expect(await sent).toMatchObject({ errorCode: 'unavailable', errorReason: 'INSTANCE_LOST', started: true });
    await unsent;
    expect(await client.score(call(), never)).toMatchObject({ errorReason: 'INSTANCE_NOT_CONNECTED', started: false });
    await serve(echo);
    await client.whenReady(within(10_000));
    expect(await client.score(call(), never)).toMatchObject({ status: 200 });
    expect(states).toEqual(['connecting', 'ready']);
  });

  it('killed with SIGKILL under load: whoever was never sent may go elsewhere, nobody is left without an answer', async () => {
    const child = await startEchoProcess(address);
    const client = await connect();
    const answers: ScoreReply[] = [];
    let sent = 0;
    const runner = async (): Promise<void> => {
      while (answers.length < 2_000 && client.ready()) {
        sent += 1;
        answers.push(await client.score(call({ body: Buffer.alloc(2_000) }), never));
        if (answers.length === 500) child.kill('SIGKILL');
      }
    };
    await Promise.all(Array.from({ length: 32 }, runner));
    expect(answers).toHaveLength(sent);
    expect(client.openCalls).toBe(0);
    const failed = answers.filter((answer) => answer.errorCode !== '');
    expect(failed.length).toBeGreaterThan(0);
    for (const answer of failed) expect(answer.errorCode).toBe('unavailable');
    for (const answer of failed.filter((a) => a.started)) expect(answer.errorReason).toBe('INSTANCE_LOST');
  });

  it('that never was there keeps the client waiting without harm', async () => {
    const client = openScoringStream({ address, log, backoffMaxMs: 20 });
    cleanups.push(() => client.close(AbortSignal.abort()));
    await expect(client.whenReady(within(200))).rejects.toMatchObject({ reason: 'INSTANCE_NOT_CONNECTED' });
    expect(await client.score(call(), never)).toMatchObject({ errorReason: 'INSTANCE_NOT_CONNECTED', started: false });
    await serve(echo);
    await client.whenReady(within(5_000));
  });
});

/** A client that may break the rules. */
function rawClient(): {
  write(message: Buffer): void;
  replies: ScoreReply[] & { id?: number }[];
  status: number | undefined;
} {
  const Raw = makeGenericClientConstructor(rawScoringService, 'raw');
  const client = new Raw(address, credentials.createInsecure());
  cleanups.push(() => client.close());
  const same = (bytes: Buffer): Buffer => bytes;
  const stream = client.makeBidiStreamRequest<Buffer, Buffer>(
    rawScoringService.score.path,
    same,
    same,
    new Metadata(),
    {},
  );
  const raw: ReturnType<typeof rawClient> = {
    write: (message) => void stream.write(message),
    replies: [],
    status: undefined,
  };
  stream.on('data', (message: Buffer) => raw.replies.push(...decodeResponse(message).replies));
  stream.on('error', () => undefined);
  stream.on('status', ({ code }: { code: number }) => (raw.status = code));
  return raw;
}

/** The echo server in a process of its own, so that it can be killed. */
async function startEchoProcess(at: string): Promise<ChildProcess> {
  const source = `
    import { Server, ServerCredentials } from '@grpc/grpc-js';
    import { pino } from 'pino';
    import { reply, serveScoringStream } from '@mooring/scoring-stream';
    const port = { score: async (call) => reply({ status: 200, body: call.body }) };
    const stream = serveScoringStream({ port, credits: 64, wantsHeaders: false, instanceId: 'child', log: pino({ enabled: false }) });
    const server = new Server();
    server.addService(stream.definition, stream.implementation);
    server.bindAsync(${JSON.stringify(at)}, ServerCredentials.createInsecure(), () => process.stdout.write('ready'));
    process.on('disconnect', () => process.exit(0));`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  cleanups.push(() => void child.kill('SIGKILL'));
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once('data', () => resolve());
    child.once('exit', (code) => reject(new Error(`the echo process ended with ${code}`)));
  });
  return child;
}
