import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { runClosed } from './closed-loop.ts';
import { HttpLane } from './http-lane.ts';
import type { ClosedJob, LoadResult, OpenJob } from './jobs.ts';
import type { Lane, OnOutcome } from './lane.ts';
import { runOpen } from './open-loop.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const stops: (() => void)[] = [];
afterEach(() => stops.splice(0).forEach((stop) => stop()));

interface Served {
  lane: (onOutcome: OnOutcome) => Lane;
  connections: () => number;
}

async function serve(handler: Handler): Promise<Served> {
  let connections = 0;
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => handler(request, response));
  });
  server.on('connection', () => (connections += 1));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const target = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  const request = Buffer.from('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}');
  return { lane: (onOutcome) => new HttpLane(target, request, onOutcome), connections: () => connections };
}

const unused = { protocol: 'http', host: '', port: 0, requestFile: '' } as const;

function closed(served: Served, more: Partial<ClosedJob> = {}): Promise<LoadResult> {
  const job: ClosedJob = {
    kind: 'closed',
    target: unused,
    inFlight: 4,
    warmupMs: 30,
    durationMs: 150,
    timeoutMs: 2_000,
    ...more,
  };
  return runClosed(job, (onOutcome) => Array.from({ length: job.inFlight }, () => served.lane(onOutcome)));
}

function open(served: Served, phases: OpenJob['phases'], more: Partial<OpenJob> = {}): Promise<LoadResult[]> {
  return runOpen(
    { kind: 'open', target: unused, phases, openMax: 100, waitingMax: 0, timeoutMs: 2_000, ...more },
    served.lane,
  );
}

const ok: Handler = (_, response) => response.end('{}');

describe('runClosed', () => {
  it('keeps as many requests in flight as it was told, each caller on a connection of its own', async () => {
    let inFlight = 0;
    let most = 0;
    const served = await serve((_, response) => {
      most = Math.max(most, (inFlight += 1));
      setTimeout(() => {
        inFlight -= 1;
        response.end();
      }, 5);
    });
    const result = await closed(served);
    expect(most).toBe(4);
    expect(served.connections()).toBe(4);
    expect(result.good).toBeGreaterThan(20);
    expect(result.sent).toBeGreaterThan(result.good);
    expect(result.p50Ms).toBeGreaterThan(4);
    expect(result.statuses).toEqual({ 200: expect.any(Number) as number });
  });

  it('takes answers of servers that close the connection after each', async () => {
    const result = await closed(await serve((_, response) => response.setHeader('connection', 'close').end('{}')));
    expect(result.statuses['none']).toBeUndefined();
    expect(result.good).toBeGreaterThan(4);
  });

  it.each([
    ['explained', { 'retry-after': '1' }, '{"error":"no","reason":"QUEUE_FULL"}', false],
    ['without retry-after', {}, '{"reason":"QUEUE_FULL"}', true],
    ['without a reason', { 'retry-after': '1' }, '{"error":"no"}', true],
  ])('counts refusals %s', async (_, headers, body, isUnexplained) => {
    const result = await closed(await serve((__, response) => response.writeHead(503, headers).end(body)));
    expect(result.good).toBe(0);
    expect(result.p50Ms).toBeNaN();
    expect(result.statuses['503']).toBeGreaterThan(4);
    expect(result.unexplained > 0).toBe(isUnexplained);
    expect(result.trouble).toMatch(/^503 \{/);
    expect(result.refusedP99Ms).toBeGreaterThan(0);
  });

  it('gives up on a request without an answer, and ends', async () => {
    const result = await closed(await serve(() => undefined), { timeoutMs: 100 });
    expect(result.statuses).toEqual({ none: expect.any(Number) as number });
    expect(result.trouble).toBe('no answer in time');
  });

  it('ends although nothing listens', async () => {
    const lane = (onOutcome: OnOutcome): Lane =>
      new HttpLane({ host: '127.0.0.1', port: 1 }, Buffer.from(''), onOutcome);
    const result = await closed({ lane, connections: () => 0 });
    expect(result.good).toBe(0);
    expect(result.trouble).toMatch(/ECONNREFUSED/);
  });
});

describe('runOpen', () => {
  it('sends at the rate of each phase and gives a result for each', async () => {
    const served = await serve(ok);
    const phases = [
      { perSecond: 100, durationMs: 200 },
      { perSecond: 500, durationMs: 300 },
    ];
    // Room for all of them: a machine that stands still for a moment must not make any a dropped one.
    const [first, second] = await open(served, phases, { openMax: 200 });
    expect(first).toMatchObject({ sent: 20, dropped: 0, statuses: { 200: 20 } });
    expect(second).toMatchObject({ sent: 150, dropped: 0, statuses: { 200: 150 } });
    // What is due on the border of two slices may count to either.
    expect(second?.slices.map(({ due }) => Math.abs(due - 50) <= 1)).toEqual([true, true, true]);
    expect(second?.slices.reduce((sum, { due }) => sum + due, 0)).toBe(150);
    expect(second?.slices.reduce((sum, { good }) => sum + good, 0)).toBe(150);
  });

  it('counts what waited behind a stall from when it was due', async () => {
    let isStalled = true;
    const held: ServerResponse[] = [];
    const served = await serve((_, response) => void (isStalled ? held.push(response) : response.end()));
    setTimeout(() => {
      isStalled = false;
      for (const response of held) response.end();
    }, 400);
    // With two places, a closed view would show two slow requests; all that were due in the stall are.
    const [result] = await open(served, [{ perSecond: 100, durationMs: 500 }]);
    expect(result?.sent).toBe(50);
    expect(result?.p50Ms).toBeGreaterThan(40);
    expect(result?.maxMs).toBeGreaterThan(250);
  });

  it('drops what is due beyond the bound, and says how many', async () => {
    const served = await serve(() => undefined);
    const phases = [{ perSecond: 200, durationMs: 200 }];
    const [result] = await open(served, phases, { openMax: 5, timeoutMs: 400 });
    expect(result).toMatchObject({ sent: 5, dropped: 35, statuses: { none: 5 } });
    expect(served.connections()).toBe(5);
  });

  it('lets what is due wait for a place, and counts the wait', async () => {
    const served = await serve((_, response) => void setTimeout(() => response.end(), 20));
    const phases = [{ perSecond: 200, durationMs: 200 }];
    const [result] = await open(served, phases, { openMax: 2, waitingMax: 1_000 });
    expect(result).toMatchObject({ sent: 40, dropped: 0, statuses: { 200: 40 } });
    expect(served.connections()).toBe(2);
    // Two places do 100 a second: the last waits for 200 ms.
    expect(result?.maxMs).toBeGreaterThan(180);
  });

  it('gives up on what waits too long, and ends', async () => {
    const served = await serve(() => undefined);
    const phases = [{ perSecond: 100, durationMs: 200 }];
    const [result] = await open(served, phases, { openMax: 1, waitingMax: 1_000, timeoutMs: 150 });
    expect(result?.statuses).toEqual({ none: 20 });
  });
});
